/** How the sandbox's page looks. Apart, because the page's policy allows exactly this text by its hash. */
export const SANDBOX_STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --dim: #65707f; --line: #dfe4ea; --ground: #f6f7f9; --card: #fff; --accent: #0b6e75 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --dim: #98a3b3; --line: #2c3542; --ground: #12161c; --card: #1a2029; --accent: #5cc5cd } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.01em } h1 span { color: var(--accent); font-weight: 400 }
header p, small, time { color: var(--dim) } header p { margin: .25rem 0 1.25rem; max-width: 46rem }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin-bottom: 1rem }
nav a { padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 99px; background: var(--card); color: var(--ink); text-decoration: none }
nav a:hover { border-color: var(--accent) } nav a[aria-current] { background: var(--accent); border-color: var(--accent); color: var(--card) }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }
.scroll, .empty, details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow-x: auto }
.empty { padding: 1rem 1.5rem 1.25rem } .empty h2 { margin: 0; font-size: 1.1rem }
table { width: 100%; border-collapse: collapse } th, td { padding: .6rem .9rem; text-align: left; vertical-align: top }
th { color: var(--dim); font-size: .78rem; font-weight: 600; white-space: nowrap } tbody tr { border-top: 1px solid var(--line) }
time { white-space: nowrap; font-variant-numeric: tabular-nums } time b { color: var(--ink); font-weight: 500 }
code, pre { font: 13px/1.5 ui-monospace, monospace } td code { color: var(--dim); white-space: nowrap }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12rem; overflow-y: auto } .what { min-width: 16rem } .who { overflow-wrap: anywhere; min-width: 11rem }
.channel { padding: .1rem .5rem; border: 1px solid currentcolor; border-radius: .3rem; color: var(--accent); font-size: .8rem }
details { margin-top: 1.25rem } summary { padding: .7rem .9rem; cursor: pointer; font-weight: 600 } .magic td:first-child { width: 1% } .magic code { color: var(--ink) }
`;
