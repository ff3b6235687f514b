"""The report's one style sheet.

Knows nothing of the content. Colours are variables: the charts use the same ones.
"""

STYLE = """
:root{--paper:#faf8f4;--card:#fff;--ink:#1d2829;--soft:#56635f;--line:#dfdbd1;--accent:#1f5f5b;--bar:#2b706b;--bar-soft:#c6d5d1;
--usual:#7d9996;--slowing:#c8860d;--risk:#c2431c;--lapsed:#6d4870;--back:#3a8a5b;color-scheme:light}
@media (prefers-color-scheme:dark){:root{--paper:#141a1b;--card:#1c2425;--ink:#e6eae7;--soft:#a3b0ac;--line:#343f3f;--accent:#7fc9c1;
--bar:#5fb0a8;--bar-soft:#2f4a48;
--usual:#6f8f8b;--slowing:#e0a53a;--risk:#ee7a52;--lapsed:#b088b4;--back:#5fb585;color-scheme:dark}}
@media print{:root{--paper:#fff;--card:#fff;--ink:#111;--soft:#444;--line:#ccc;--accent:#1f5f5b;--bar:#2b706b;--bar-soft:#c6d5d1;
--usual:#7d9996;--slowing:#c8860d;--risk:#c2431c;--lapsed:#6d4870;--back:#3a8a5b;color-scheme:light}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 -apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,
"Liberation Sans",sans-serif;overflow-wrap:anywhere}
main,footer p{max-width:72rem;margin:0 auto;padding:0 1.25rem}
h1,h2,h3,h4,.figure{font-family:Charter,"Bitstream Charter","Iowan Old Style","Palatino Linotype",Georgia,"Liberation Serif",serif;
font-weight:600;line-height:1.2;text-wrap:balance}
p{margin:0 0 .75rem}
.small,figcaption,caption{font-size:.875rem;color:var(--soft)}
header{padding:3.5rem 0 1.5rem;max-width:56rem}
h1{font-size:clamp(1.9rem,1.2rem + 2.8vw,3.1rem);margin:.25rem 0 1.1rem;letter-spacing:-.01em}
.shop{font-weight:600;color:var(--accent);margin:0}
.lede{font-size:1.15rem;color:var(--soft);max-width:46rem}
.note{border-left:3px solid var(--slowing);padding:.1rem 0 .1rem .9rem;max-width:46rem;margin-top:1rem}
nav{display:flex;flex-wrap:wrap;gap:.4rem 1.2rem;padding:.8rem 0;border-top:1px solid var(--line);font-size:.9rem}
a{color:var(--accent)}
nav a{text-decoration:none}
nav a:hover,nav a:focus-visible{text-decoration:underline}
section{border-top:1px solid var(--line);padding:2.25rem 0 2.5rem;display:grid;grid-template-columns:16rem minmax(0,1fr);gap:1.5rem 3rem}
.topic{font-size:.9rem;font-weight:600;color:var(--accent);margin:0 0 .4rem}
h2{font-size:1.45rem;margin:0}
.heading{position:sticky;top:1.5rem;align-self:start}
h3{font-size:1.15rem;margin:0 0 .6rem}
h4{font-size:1.05rem;margin:0 0 .7rem}
figure{margin:0}
.axis{font-size:.8rem;color:var(--soft);margin:0 0 .4rem}
.chart svg{display:block;width:100%;height:auto;overflow:visible}
.narrow svg{max-width:30rem}
.unbroken{white-space:nowrap}
.narrow{display:none}
.chart+.small,figcaption{margin-top:.75rem}
.content>table:first-child{margin-top:0}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.3rem;padding:0;margin:.6rem 0 .8rem;font-size:.9rem}
.dot{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.45rem}
.usual{background:var(--usual)}.slowing{background:var(--slowing)}.risk{background:var(--risk)}.lapsed{background:var(--lapsed)}
.back{background:var(--back)}
table{border-collapse:collapse;width:100%;font-size:.925rem;margin:1.5rem 0 .75rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:.5rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .9rem .5rem 0;border-top:1px solid var(--line)}
th{overflow-wrap:break-word}
thead th{overflow-wrap:normal;border-top:0;font-weight:500;font-size:.85rem;color:var(--soft);padding-bottom:.3rem;vertical-align:bottom}
.name{font-weight:600}
.number{text-align:right}
td.number{text-wrap:balance}
th:last-child,td:last-child{padding-right:0}
.head{display:none}
.plain{list-style:none;padding:0;margin:0}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.85em}
.stages{list-style:none;counter-reset:stage;display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:1.25rem;
padding:0;margin:0 0 2rem}
.stages li{min-width:0}
.stages>li{counter-increment:stage;border-top:3px solid var(--bar);padding-top:.7rem}
.stages h3::before{content:counter(stage) ". ";color:var(--accent)}
.stages dl,.tiles,.tiles dd{margin:0}
.stages dt{font-size:.8rem;color:var(--soft)}
.stages dd{margin:0 0 .55rem;font-size:.9rem}
.arms{list-style:none;padding:.5rem 0 0;margin:.2rem 0 0;border-top:1px solid var(--line);font-size:.9rem}
.arms li{display:flex;justify-content:space-between;gap:.5rem}
.none{color:var(--soft);font-weight:400}
.messages{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr));gap:1.5rem}
.message{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:1rem;min-width:0}
.message iframe{width:100%;height:34rem;border:1px solid var(--line);border-radius:6px;background:#fff;display:block}
pre{white-space:pre-wrap;max-height:24rem;overflow:auto;margin:.5rem 0 0}
summary{cursor:pointer;font-size:.875rem;color:var(--soft);margin-top:.7rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr));gap:1.25rem;margin-bottom:1.5rem}
.tiles dt{font-size:.9rem;color:var(--soft)}
.figure{font-size:1.9rem}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1.5rem;margin-bottom:1.5rem}
.columns ul{padding-left:1.1rem;margin:0}
.columns li{margin-bottom:.5rem}
footer{padding-bottom:3rem}
footer p{font-size:.875rem;color:var(--soft)}
main::after{content:"";display:block;border-top:1px solid var(--line);margin-bottom:1.25rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:60rem){section{grid-template-columns:minmax(0,1fr)}.heading{position:static}h2{max-width:34rem}}
@media (max-width:48rem){
.wide{display:none}.narrow{display:block}header{padding-top:2rem}section{padding:1.75rem 0 2rem}
table,tbody,tr,th,td,caption{display:block}thead{display:none}tr{border-top:1px solid var(--line);padding:.7rem 0}
th,td{border:0;padding:.1rem 0}td,td.number{display:flex;justify-content:space-between;gap:1.2rem;text-align:right;white-space:normal}
.head{display:block;color:var(--soft);text-align:left;flex:none;max-width:45%}.name{padding-bottom:.25rem}td.words{display:block;
text-align:left}td.words .head{max-width:none;font-size:.85rem}}
@media print{nav,details{display:none}section{display:block;break-inside:avoid-page;padding:1rem 0}header{padding-top:0}.message,tr,
.chart{break-inside:avoid}h2{margin-bottom:1rem}}
"""
