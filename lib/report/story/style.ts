/** The page's own style: nothing is loaded. Each pair of text and ground has a contrast of 4.5 or more, in light and in dark. */
export const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--card:#f5f6f8;--ink:#1a1d23;--muted:#5b6270;--rule:#d5d9e0;--good:#1a7f4b;--bad:#b3261e;--warn:#9a5b00;--fault:#c4432b;--work:#2f6fb5;--down:#2b2f38;--sent:#3b5bdb;--on-bar:#fff;--line-0:#2f6fb5;--line-1:#b3261e;--line-2:#1a7f4b;--line-3:#8a4fb8;--line-4:#9a5b00;--line-5:#0f7482}
@media (prefers-color-scheme:dark){:root{--ground:#14171c;--card:#1e232b;--ink:#e8eaee;--muted:#a3abb9;--rule:#39404c;--good:#5fd39a;--bad:#ff8f86;--warn:#f2b14c;--fault:#e0604a;--work:#4a8fd8;--down:#d3d8e0;--sent:#91a7ff;--on-bar:#0b0d10;--line-0:#7db4f0;--line-1:#ff8f86;--line-2:#5fd39a;--line-3:#cfa3f2;--line-4:#f2b14c;--line-5:#5fcfe0}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1060px;margin:0 auto;padding:24px 20px 48px}
header{border-left:8px solid var(--muted);background:var(--card);padding:16px 22px;border-radius:6px}
header.passed{border-color:var(--good)}header.failed,header.aborted{border-color:var(--bad)}header.deviated,header.interrupted,header.unfinished{border-color:var(--warn)}
.verdict{margin:0;font-size:30px;line-height:1.2;font-weight:700}
.passed .verdict{color:var(--good)}.failed .verdict,.aborted .verdict{color:var(--bad)}.deviated .verdict,.interrupted .verdict,.unfinished .verdict{color:var(--warn)}
h1{margin:4px 0 6px;font-size:22px}header p{margin:4px 0}.when,.contract{color:var(--muted)}.why{font-size:16px;margin:12px 0 2px}
header ul{margin:0;padding-left:20px}li,td,th{overflow-wrap:anywhere}
h2{font-size:19px;margin:30px 0 8px}h3{font-size:16px;margin:18px 0 2px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:10px;margin:16px 0 0}
.tiles div{background:var(--card);border-radius:6px;padding:10px 14px;display:flex;flex-direction:column-reverse}
.tiles dt{color:var(--muted);font-size:14px}.tiles dd{margin:0;font-size:24px;font-weight:650}.tiles .bad dd{color:var(--bad)}
figure{margin:0 0 14px}figcaption{color:var(--muted);font-size:14px}
.chart,.scroll{overflow-x:auto}.chart svg{display:block;min-width:720px;width:100%;height:auto;color:var(--ink)}
.chart:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--sent);outline-offset:2px}
.legend{margin:2px 0;font-size:14px;color:var(--muted)}
.key{display:inline-block;width:16px;height:10px;border-radius:2px;margin-left:14px}.legend :first-child{margin-left:0}
.key.fault{background:var(--fault)}.key.work{background:var(--work)}.key.down{background:var(--down)}.key.band{background:var(--fault);opacity:.25}
.dot,.ring{display:inline-block;width:9px;height:9px;border-radius:50%;margin-left:14px}.dot.sent{background:var(--sent)}.dot.good{background:var(--good)}.ring{border:1.5px solid var(--muted)}
.diamond{color:var(--warn);margin-left:14px}.cross{color:var(--bad);margin-left:14px}
table{border-collapse:collapse;width:100%;font-size:15px}th,td{text-align:left;vertical-align:top;padding:5px 14px 5px 0;border-bottom:1px solid var(--rule)}
thead th{color:var(--muted);font-weight:600}tbody th{font-weight:500}
.yes{color:var(--good);font-weight:600}.no{color:var(--bad);font-weight:700}.told{color:var(--muted)}
summary{cursor:pointer;padding:5px 0}footer{margin-top:32px;color:var(--muted);font-size:14px}
@media print{:root{--ground:#fff;--card:#fff;--ink:#000;--muted:#444;--rule:#bbb;--good:#1a7f4b;--bad:#b3261e;--warn:#9a5b00;--fault:#c4432b;--work:#2f6fb5;--down:#2b2f38;--sent:#3b5bdb;--on-bar:#fff}body{font-size:12px;print-color-adjust:exact;-webkit-print-color-adjust:exact}main{max-width:none;padding:0}figure,tr,header,.tiles div{break-inside:avoid}.chart svg{min-width:0}.chart,.scroll{overflow:visible}details:not([open]){display:none}}
`.trim()
