#pragma once

namespace riskcurve {

/// For a telephone's screen too, light or dark as the reader has it, and on paper.
constexpr const char* kAdviceStyle = R"(
:root { color-scheme: light dark; --ink: #222; --soft: #666; --line: #ccc; --back: #fff;
  --c0: #1f5fa8; --c1: #c0392b; --c2: #2e8b57; --c3: #b9770e; --c4: #7d3c98; --c5: #16838f; --c6: #777; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --soft: #a3a3a3; --line: #444; --back: #16181b;
  --c0: #7db3f0; --c1: #f08a7d; --c2: #7fd1a3; --c3: #e9bd6b; --c4: #c8a2e0; --c5: #6fd0da; --c6: #aaa; } }
body { font: 16px/1.5 system-ui, "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; color: var(--ink);
  background: var(--back); max-width: 46em; margin: 0 auto; padding: 1em; overflow-wrap: anywhere; }
h1 { font-size: 1.15em; } h2 { font-size: 1.1em; margin: 1.6em 0 .3em; } ul { margin: .3em 0; padding-left: 1.2em; }
.scroll { overflow-x: auto; overflow-wrap: normal; } table { border-collapse: collapse; font-size: .88em; margin: .5em 0; }
th, td { padding: .2em .6em; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap;
  font-variant-numeric: tabular-nums; } th:first-child, td:first-child { text-align: left; padding-left: 0; }
.note { color: var(--soft); font-size: .88em; } svg { width: 100%; height: auto; margin-top: .5em; }
svg path { fill: none; stroke-width: 2; } svg text.axis { fill: var(--soft); font-size: 13px; }
svg path.axis { stroke: var(--line); stroke-width: 1; } .key { font-size: .85em; } .key span { margin-right: 1em; white-space: nowrap; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); } .s3 { stroke: var(--c3); }
.s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); } .s6 { stroke: var(--c6); } circle { fill: var(--back); stroke-width: 2; }
.k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); } .k3 { color: var(--c3); }
.k4 { color: var(--c4); } .k5 { color: var(--c5); } .k6 { color: var(--c6); }
)";

}  // namespace riskcurve
