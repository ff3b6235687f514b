"""What operators see and do: pages of their own, from the ledger and the published snapshots alone.

How a page is added (docs/console.md has it in full):

1. A module of this package with its views. Every view says who may come: `@may(Role.VIEWER)`, or `@may(Role.VIEWER, post=Role.EDITOR)`
   where it also takes a form; a view without it fails a test. It answers with `show(request, "page.html", {...})`.
2. A template below `templates/console/` that extends `console/base.html` and fills the blocks `title`, `heading` and `main`.
3. A `path(...)` with its name in `urls.py`, an entry of `NAVIGATION` in `shell.py` where it is a part of its own, and a line for it in
   `tests/service/matrix.py`.
"""
