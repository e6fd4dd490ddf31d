"""HTML that stands alone: the page, its style, and the colours. All text goes in through `Markup.format`, escaped.

A fragment brings its own paper and ink, light or dark as the reader's system is, so that it can be read on any page.
"""

from markupsafe import Markup

# Okabe and Ito (2008), "Color universal design": told apart by the colour-blind too. Red, green, blue.
OKABE_ITO = (
    (0, 114, 178),  # blue
    (230, 159, 0),  # orange
    (0, 158, 115),  # bluish green
    (204, 121, 167),  # reddish purple
    (86, 180, 233),  # sky blue
    (213, 94, 0),  # vermilion
    (240, 228, 66),  # yellow
)
LINES = ("solid", "dashed", "dotted", "double")

STYLE = Markup("""<style>
.tagger-picture {
  --paper: #fff; --ink: #1b1d21; --faint: #595f69; --rule: #d5d8dd; --weight: 230 159 0; --tint: .3;
  color-scheme: light dark; background: var(--paper); color: var(--ink);
  font: 16px/1.9 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; overflow-wrap: anywhere;
  padding: 1em max(1.5em, 50% - 31em);
}
@media (prefers-color-scheme: dark) {
  .tagger-picture { --paper: #16181c; --ink: #ececef; --faint: #a9afb9; --rule: #3c414a; --weight: 0 114 178; }
}
.tagger-picture > * { margin: 0 0 1em; }
.tagger-picture h1 { font-size: 1.1em; line-height: 1.4; }
.tagger-picture h2 { font-size: 1em; line-height: 1.4; margin: 0; }
.tagger-picture .note, .tagger-picture .rest { color: var(--faint); font-size: .85em; font-weight: normal; }
.tagger-picture .text { white-space: pre-wrap; unicode-bidi: plaintext; margin: .2em 0 0; }
.tagger-picture article { border-top: 1px solid var(--rule); padding-top: .7em; }
.tagger-picture ul { display: flex; flex-wrap: wrap; gap: .2em 1.2em; padding: 0; list-style: none; }
.tagger-picture img { display: block; max-width: none; height: auto; background: #fff; }
.tagger-picture .scroll { overflow-x: auto; }
.tagger-picture .weighted { line-height: 2.4; }
.tagger-picture .word { background: rgb(var(--weight) / var(--w)); border-radius: .2em; padding: .1em .5em;
  margin: 0 1px; position: relative; }
.tagger-picture .word::after { content: attr(data-weight); position: absolute; top: 100%; inset-inline: 0;
  text-align: center; white-space: nowrap; color: var(--faint); font-size: .55em; line-height: 1.2; }
.tagger-picture mark { background: rgb(var(--c) / var(--tint)); color: inherit; position: relative;
  unicode-bidi: isolate; border-bottom: 3px var(--line) rgb(var(--c)); border-radius: .2em .2em 0 0;
  padding: .1em .15em; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
.tagger-picture .type { font-size: .7em; font-weight: 700; margin: 0 .2em 0 .4em; }
.tagger-picture .score { position: absolute; inset-inline-start: 0; top: 100%; z-index: 1; opacity: 0;
  pointer-events: none; background: var(--ink); color: var(--paper); font-size: .75em; line-height: 1.4;
  padding: .1em .5em; border-radius: .3em; white-space: nowrap; }
.tagger-picture mark:focus .score { opacity: 1; }
.tagger-picture mark:focus { outline: 2px solid var(--ink); outline-offset: 1px; }
</style>
""")
PAGE = Markup("""<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>body {{ margin: 0; }} body > .tagger-picture {{ min-height: 100vh; box-sizing: border-box; }}</style>
</head>
<body>
{fragment}</body>
</html>
""")
FRAGMENT = Markup("""{style}<section class="tagger-picture">
<h1>{title}</h1>
{body}</section>
""")
IMAGE = Markup("""<div class="scroll"><img alt="{title}" src="data:image/svg+xml;base64,{data}"></div>
""")


def fragment_of(title: str, body: Markup) -> Markup:
    """A part of a page with its style, as a notebook shows it."""
    return FRAGMENT.format(style=STYLE, title=title, body=body)


def page_of(title: str, fragment: Markup) -> str:
    """A whole page that needs nothing from elsewhere."""
    return str(PAGE.format(title=title, fragment=fragment))


def colour(number: int) -> Markup:
    """The style of the n-th of several things: 28 pairs of a colour and a line, then again from the first."""
    red, green, blue = OKABE_ITO[number % len(OKABE_ITO)]
    return Markup("--c: {} {} {}; --line: {}").format(red, green, blue, LINES[number // len(OKABE_ITO) % len(LINES)])
