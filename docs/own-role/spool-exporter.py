"""Shows how many files wait in a folder: spool-exporter.py FOLDER PORT"""
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"# TYPE spool_files gauge\nspool_files {len(os.listdir(sys.argv[1]))}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("", int(sys.argv[2])), Metrics).serve_forever()
