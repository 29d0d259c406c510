/** The page's only style, allowed by its hash. */
export const DOCS_STYLE = `
:root{color-scheme:light dark;--line:color-mix(in srgb,currentColor 18%,transparent);--soft:color-mix(in srgb,currentColor 6%,transparent)}
*{box-sizing:border-box}
body{margin:0;display:grid;grid-template-columns:minmax(16rem,22rem) minmax(0,1fr);font:15px/1.5 system-ui,sans-serif}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;border-right:1px solid var(--line);font-size:13px}
nav h2{font-size:13px;margin:1rem 0 .25rem}
nav ul{list-style:none;margin:0;padding:0}
nav a{color:inherit;text-decoration:none;display:block;padding:1px 0;overflow-wrap:anywhere}
nav a:hover,nav a:focus-visible{text-decoration:underline}
main{padding:1rem 2rem 4rem;max-width:64rem}
section{border-top:1px solid var(--line);padding:.5rem 0 1rem}
h3{margin:.5rem 0;font-size:16px;overflow-wrap:anywhere}
h4{margin:.75rem 0 .25rem;font-size:13px}
b.get{color:#2a7de1}b.post{color:#1f9254}b.put,b.patch{color:#b7791f}b.delete{color:#d64545}
code{font:13px ui-monospace,monospace;background:var(--soft);padding:0 .25em;border-radius:3px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:13px}
td{border-bottom:1px solid var(--line);padding:.2rem .75rem .2rem 0;vertical-align:top}
i{opacity:.7;font-style:normal}
@media (max-width:50rem){body{display:block}nav{position:static;height:auto;border-right:0;border-bottom:1px solid var(--line)}main{padding:1rem}}
`;
