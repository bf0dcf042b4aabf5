#pragma once

namespace riskcurve::validation {

constexpr const char* kStyle = R"(
body { font: 15px/1.45 "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: #222;
  max-width: 1120px; margin: 2em auto; padding: 0 1.2em; }
h1 { font-size: 1.7em; margin: 0 0 .4em; } h2 { font-size: 1.2em; margin: 1.8em 0 .4em; }
.lead { max-width: 52em; } .note { color: #555; font-size: .88em; max-width: 66em; }
.boxes { display: flex; gap: 1em; margin: 1em 0; }
.box { flex: 1; border: 1px solid #ccc; border-left-width: 6px; padding: .6em .9em; font-size: .9em; }
.box b { display: block; font-size: 1.6em; }
.box.good { border-left-color: #2e8b57; } .box.bad { border-left-color: #c0392b; }
table { border-collapse: collapse; font-size: .84em; width: 100%; }
th { text-align: right; vertical-align: bottom; font-weight: 600; border-bottom: 1px solid #999; }
td { text-align: right; font-variant-numeric: tabular-nums; border-bottom: 1px solid #eee; }
th, td { padding: .18em .5em; } .left, .family { text-align: left; }
.family { padding-top: .9em; font-weight: 700; border-bottom: 1px solid #ccc; }
.why td { color: #555; font-size: .93em; padding: 0 .5em .4em 1.6em; }
td.good { color: #1d6b40; } td.bad { color: #fff; background: #c0392b; font-weight: 700; }
td.open { color: #8a6d1a; } b.good { color: #1d6b40; } b.bad { color: #c0392b; }
b.open { color: #8a6d1a; } .source { color: #777; white-space: nowrap; }
a { color: #1f5fa8; text-decoration: none; } a:hover { text-decoration: underline; }
code, pre { font: .92em "DejaVu Sans Mono", Menlo, monospace; } pre { overflow-x: auto; margin: .4em 0; }
.plots { display: grid; grid-template-columns: 1fr 1fr; gap: 1.2em; }
figure { margin: 0; break-inside: avoid; } figure img { width: 100%; border: 1px solid #eee; }
figcaption { font-size: .82em; color: #333; } summary { cursor: pointer; color: #1f5fa8; }
.warning { margin: .2em 0; color: #8a6d1a; }
@media print { body { font-size: 10.5px; margin: 0; max-width: none; } a { color: inherit; }
  tr { break-inside: avoid; } thead { display: table-header-group; } details { display: none; }
  h2 { break-after: avoid; } .box { border-width: 1px 1px 1px 6px; } }
@media screen and (max-width: 760px) { .plots { grid-template-columns: 1fr; } .boxes { flex-direction: column; } }
)";

}  // namespace riskcurve::validation
