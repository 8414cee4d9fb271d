import { createHash } from 'node:crypto'

/** The style of the HTML report: light and dark, screen and paper, nothing from outside. */
export const style = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --ink: #1a1f27; --soft: #5b6573; --line: #dfe3e8; --code: #f0f2f5;
  --red: #b3261e; --red-soft: #fdeceb; --amber: #8a5a00; --amber-soft: #fff3d9; --violet: #6a3ab2; --violet-soft: #f2ebfc;
  --green: #1b6e3c; --green-soft: #e5f5ea; --blue: #1f5fa8; --blue-soft: #e8f1fb; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #12151a; --card: #1b2027; --ink: #e7eaee; --soft: #9aa5b3; --line: #303843; --code: #12161c;
  --red: #ff8a80; --red-soft: #3a1c1b; --amber: #f2bd57; --amber-soft: #35290f; --violet: #c6a4f7; --violet-soft: #2b2140;
  --green: #7fd6a0; --green-soft: #17301f; --blue: #8fc0f5; --blue-soft: #172a40; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1, h2, h3, p, ol, ul, dl, table, pre { margin: 0; }
h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .8rem; }
h3 { font-size: 1.02rem; line-height: 1.35; overflow-wrap: anywhere; }
a { color: var(--blue); }
code, pre { font: .86em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
pre { background: var(--code); border: 1px solid var(--line); border-radius: 6px; padding: .7rem .9rem; white-space: pre-wrap; user-select: all; -webkit-user-select: all; }
pre code { font: inherit; }
table { border-collapse: collapse; width: 100%; font-size: .92em; }
th, td { text-align: left; vertical-align: top; padding: .4rem .7rem .4rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
tbody tr:last-child > * { border-bottom: 0; }
th { font-weight: 600; color: var(--soft); }
.cells td { min-width: 9rem; }
.facts th { white-space: nowrap; width: 1%; padding-right: 1.5rem; }
.overview h1 { margin-bottom: .9rem; }
.brand { color: var(--soft); font-size: .9rem; margin-bottom: 1rem; }
.brand b { color: var(--ink); letter-spacing: .01em; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.3rem; }
.card + .card { margin-top: .8rem; }
.banner { border-left: 8px solid var(--tone); padding: 1.3rem 1.5rem; }
.banner .word { color: var(--tone); font-weight: 700; letter-spacing: .05em; font-size: .95rem; margin-bottom: .3rem; }
.banner .meaning { margin-top: .5rem; font-size: 1.05rem; }
.block, .not_ready, .could_not_run { --tone: var(--red); --tone-soft: var(--red-soft); }
.warn, .ready_with_warnings { --tone: var(--amber); --tone-soft: var(--amber-soft); }
.undetermined, .unknown { --tone: var(--violet); --tone-soft: var(--violet-soft); }
.ready, .pass { --tone: var(--green); --tone-soft: var(--green-soft); }
.inform, .none { --tone: var(--blue); --tone-soft: var(--blue-soft); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .8rem; margin: .8rem 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: .7rem 1rem; color: var(--soft); font-size: .88rem; line-height: 1.35; }
.tiles b { display: block; font-size: 1.7rem; line-height: 1.2; color: var(--tone, var(--ink)); font-weight: 650; }
.tiles .zero b { color: var(--soft); font-weight: 400; }
.todo { padding-left: 1.4rem; margin-top: .5rem; }
.todo li + li { margin-top: .35rem; }
.todo .where { color: var(--soft); font-size: .9em; }
.finding { border-left: 5px solid var(--tone); scroll-margin-top: 1rem; }
.finding > * + * { margin-top: .7rem; }
.meta { color: var(--soft); font-size: .88rem; display: flex; flex-wrap: wrap; gap: .3rem .7rem; align-items: baseline; }
.badge { background: var(--tone-soft); color: var(--tone); border-radius: 4px; padding: .05rem .5rem; font-weight: 600; font-size: .82rem; }
.label { font-weight: 600; }
.steps { padding-left: 1.4rem; margin-top: .25rem; }
.hint { color: var(--soft); font-size: .82rem; font-weight: 400; }
details > summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
details[open] > summary { margin-bottom: .5rem; }
.scroll { overflow-x: auto; }
.verdict + .verdict { margin-top: 3.5rem; border-top: 3px double var(--line); padding-top: 2.5rem; }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) { .facts th { white-space: normal; width: auto; } .facts td { min-width: 8rem; } main { padding: 1.2rem .8rem 2rem; } }
@media print { body { background: #fff; color: #000; font-size: 10.5pt; } main { max-width: none; padding: 0; }
  .card, .tiles li { break-inside: avoid; } .finding { break-inside: auto; } h2, h3 { break-after: avoid; } pre { break-inside: avoid; }
  .verdict + .verdict { break-before: page; border-top: 0; } .hint { display: none; } a { color: inherit; text-decoration: none; } }
`

/** A content security policy that lets this style in and nothing else. */
export const contentPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')
