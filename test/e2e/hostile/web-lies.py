"""Web servers that lie, each on a port of its own: python3 web-lies.py FIRST-PORT NAME..."""
import json, socket, sys, threading, time

MIB = 1024 * 1024
CONFIG = {"route": "route: {receiver: a}\n", "bomb": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{n}: &{n} [{','.join(['*' + p] * 9)}]\n" for p, n in zip("abcdefghij", "bcdefghijk")),
    "deep": "[" * 100000, "long": "a: b\n" * MIB, "broken": "route: [\n", "escapes": "route: {receiver: \"\\e[2J\"}\n",
    "modulus": "alerting: {alert_relabel_configs: [{action: hashmod, modulus: 0, target_label: x, source_labels: [a]}]}\n",
    "regex": "global: {external_labels: {a: " + "a" * 60 + "c}}\nalerting: {alert_relabel_configs: [{source_labels: [a], regex: '(?:(?:a+)+b|(.*))', target_label: b}]}\n"}

def page(path, config="route", version="0.33.1", address="10.0.0.1:9094", time_text="2026-01-01T00:00:00Z", url="http://10.0.0.1:9093/api/v2/alerts"):
    """What an Alertmanager or a Prometheus would answer, with something wrong in it."""
    text = CONFIG[config]
    good = lambda data: json.dumps({"status": "success", "data": data})
    if path.startswith("/api/v2/status"):
        return json.dumps({"cluster": {"name": "x", "status": "ready", "peers": [{"name": "x", "address": address}]},
                           "versionInfo": {"version": version}, "config": {"original": text}})
    if path.startswith("/api/v2/"): return "[]"
    if path == "/-/ready": return "ok"
    if path == "/metrics": return "alertmanager_config_last_reload_successful 1\n"
    if path.endswith("/config"): return good({"yaml": text})
    if path.endswith("/buildinfo"): return good({"version": version})
    if path.endswith("/runtimeinfo"): return good({"startTime": time_text, "reloadConfigSuccess": True})
    if path.endswith("/alertmanagers"): return good({"activeAlertmanagers": [{"url": url}]})
    if "/targets" in path: return good({"activeTargets": [{"scrapePool": "a", "scrapeUrl": url, "lastScrape": time_text, "health": "up", "discoveredLabels": {}, "labels": {"job": "a"}}]})
    if "/rules" in path: return good({"groups": []})
    return good({"alerts": [], "result": [], "current": 1, "max": 2})

def answer(text, status="200 OK", more=""):
    body = text.encode() if isinstance(text, str) else text
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}Connection: close\r\n\r\n".encode() + body

def forever(one, piece, pause=0.0):
    while True:
        one.sendall(piece)
        time.sleep(pause)

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LIES = {
    "silent": lambda one, path: time.sleep(900),
    "header-byte-by-byte": lambda one, path: forever(one, b"H", 0.5),
    "header-without-end": lambda one, path: (one.sendall(b"HTTP/1.1 200 OK\r\n"), forever(one, b"x: " + b"y" * 4000 + b"\r\n")),
    "body-byte-by-byte": lambda one, path: (one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"), forever(one, b"[", 0.5)),
    "body-without-end": lambda one, path: (one.sendall(CHUNKED), forever(one, b"10000\r\n" + b"x" * 65536 + b"\r\n")),
    "body-of-a-terabyte": lambda one, path: (one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"), forever(one, b"[" * 65536)),
    "body-cut-short": lambda one, path: one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    "chunks-of-nonsense": lambda one, path: one.sendall(CHUNKED + b"zz\r\nabc\r\n"),
    "no-http": lambda one, path: one.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "bytes-by-chance": lambda one, path: one.sendall(open("/dev/urandom", "rb").read(100000)),
    "closes-at-once": lambda one, path: None,
    "status-of-nonsense": lambda one, path: one.sendall(answer("", "999 \x1b[2J")),
    "error-of-escapes": lambda one, path: one.sendall(answer("\x1b]0;owned\x07\u202e\x9b2J all is well", "500 No")),
    "wants-tls": lambda one, path: one.sendall(answer("Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request")),
    "elsewhere": lambda one, path: one.sendall(answer("", "302 Found", "Location: http://169.254.169.254/\r\n")),
    "words": lambda one, path: one.sendall(answer("all is well")),
    "lists-in-lists": lambda one, path: one.sendall(answer(b"[" * (12 * MIB))),
    "millions-of-lists": lambda one, path: one.sendall(answer(b"[" + b"[]," * (4 * MIB) + b"[]]")),
    "millions-of-numbers": lambda one, path: one.sendall(answer(b"[" + b"1," * (900000) + b"1]")),
    "alerts-without-number": lambda one, path: one.sendall(answer(json.dumps([{"fingerprint": str(i), "startsAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "labels": {"alertname": "x" * 20}} for i in range(100000)]) if path.startswith("/api/v2/alerts") else page(path))),
    "a-line-of-thirty-megabytes": lambda one, path: one.sendall(answer(b"x" * (30 * MIB))),
    "lines-of-nothing": lambda one, path: one.sendall(answer(b"\n" * (14 * MIB))),
    "other-forms": lambda one, path: one.sendall(answer(json.dumps({"cluster": 7, "data": [None], "versionInfo": [], "config": None}))),
    "config-that-unfolds": lambda one, path: one.sendall(answer(page(path, config="bomb"))),
    "config-that-is-deep": lambda one, path: one.sendall(answer(page(path, config="deep"))),
    "config-that-is-long": lambda one, path: one.sendall(answer(page(path, config="long"))),
    "config-that-is-broken": lambda one, path: one.sendall(answer(page(path, config="broken"))),
    "config-of-escapes": lambda one, path: one.sendall(answer(page(path, config="escapes"))),
    "config-with-modulus-0": lambda one, path: one.sendall(answer(page(path, config="modulus"))),
    "config-with-an-endless-regex": lambda one, path: one.sendall(answer(page(path, config="regex"))),
    "version-of-words": lambda one, path: one.sendall(answer(page(path, version="\x1b[2Jlatest"))),
    "address-that-is-none": lambda one, path: one.sendall(answer(page(path, address="[::1"))),
    "time-that-is-none": lambda one, path: one.sendall(answer(page(path, time_text="soon"))),
    "url-that-is-none": lambda one, path: one.sendall(answer(page(path, url="nowhere"))),
}

def serve(one, lie):
    try:
        said = b""
        while b"\r\n\r\n" not in said:
            more = one.recv(65536)
            if not more: return
            said += more
        lie(one, said.split(b" ", 2)[1].decode())
    except OSError:
        pass
    finally:
        one.close()

def listen(port, lie):
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", port))
    server.listen(64)
    while True:
        one, _ = server.accept()
        threading.Thread(target=serve, args=(one, lie), daemon=True).start()

for at, name in enumerate(sys.argv[2:]):
    threading.Thread(target=listen, args=(int(sys.argv[1]) + at, LIES[name])).start()
