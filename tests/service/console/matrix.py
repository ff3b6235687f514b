"""Who may come to which page of the console: one row for every address; one without a row fails its test."""

from dataclasses import dataclass

from rekindle.service.console.roles import Role


@dataclass(frozen=True, slots=True)
class Row:
    """One address of the console.

    Args:
        route: As `urls.py` has it; of what stands in <>, the test asks for "x" or 1.
        look: Who may look, at least; None: pages that sign in, which the tests of accounts look at.
        post: Who may post, at least; None: nobody.
        privacy: Whether the right to personal data is asked as well.
        status: The answer to who may look.
        posted: The answer to who may post, to a form without fields.
    """

    route: str
    look: Role | None
    post: Role | None = None
    privacy: bool = False
    status: int = 200
    posted: int = 400


ROWS = (
    Row("", Role.VIEWER),
    Row("plan", Role.VIEWER, status=302),
    Row("plan/<str:digest>", Role.VIEWER, post=Role.APPROVER, status=404, posted=404),
    Row("plan/<str:digest>/messages.csv", Role.EDITOR, Role.EDITOR, privacy=True, status=302, posted=404),
    Row("start", Role.EDITOR, post=Role.EDITOR),
    Row("start/columns/<str:key>", Role.EDITOR, post=Role.EDITOR, status=404, posted=404),
    Row("start/file/<str:key>", Role.EDITOR, post=Role.EDITOR, status=404, posted=404),
    Row("start/contacts", Role.EDITOR, post=Role.EDITOR, privacy=True),
    Row("start/week", Role.EDITOR, post=Role.EDITOR, status=404, posted=404),
    Row("shop", Role.ADMIN, post=Role.ADMIN),
    Row("jobs", Role.EDITOR),
    Row("jobs/<str:key>", Role.EDITOR, status=404),
    Row("operators", Role.ADMIN, post=Role.ADMIN),
    Row("operators/<int:number>", Role.ADMIN, post=Role.ADMIN),
    Row("account/welcome/<str:token>", None),
    Row("customers", Role.EDITOR, Role.EDITOR),
    Row("customers/<str:customer>", Role.EDITOR, status=404),
    Row("segments", Role.VIEWER),
    Row("segments/<str:name>", Role.VIEWER, status=404),
    Row("segment-draft", Role.EDITOR, Role.EDITOR),
    Row("segment-draft/trial", Role.EDITOR, Role.EDITOR, status=302, posted=200),
    Row("causes", Role.VIEWER, Role.EDITOR, posted=302),
    Row("causes/fix", Role.VIEWER, Role.APPROVER),
    Row("messages", Role.VIEWER),
    Row("messages/<int:number>", Role.EDITOR, status=404),
    Row("messages/<int:number>/mail", Role.EDITOR, status=404),
    Row("programs", Role.VIEWER),
    Row("programs/<slug:name>", Role.VIEWER, status=404),
    Row("programs/<slug:name>/pause", Role.APPROVER, Role.APPROVER, status=302, posted=404),
    Row("programs/<slug:name>/walk", Role.EDITOR, Role.EDITOR, status=302, posted=404),
    Row("programs/<slug:name>/sample/<slug:stage>/<slug:arm>", Role.VIEWER, status=404),
    Row("programs/<slug:name>/sample/<slug:stage>/<slug:arm>/mail", Role.VIEWER, status=404),
    Row("walks/<str:key>", Role.EDITOR, status=404),
    Row("documents", Role.VIEWER),
    Row("documents/approve", Role.APPROVER, Role.APPROVER, status=302),
    Row("documents/edit/<path:name>", Role.EDITOR, Role.EDITOR, status=404, posted=404),
    Row("documents/check/<path:name>", Role.EDITOR, Role.EDITOR, status=302, posted=404),
    Row("documents/versions/<path:name>", Role.VIEWER, status=404),
    Row("offers", Role.VIEWER),
    Row("policy", Role.VIEWER),
    Row("policy/propose", Role.EDITOR, Role.EDITOR, status=302, posted=302),
    Row("policy/approve", Role.APPROVER, Role.APPROVER, status=302),
    Row("policy/version/<str:name>", Role.VIEWER, status=404),
    Row("experiments", Role.VIEWER),
    Row("experiments/new", Role.EDITOR, status=302),
    Row("experiments/<slug:name>", Role.VIEWER, status=404),
    Row("experiments/<slug:name>/decide", Role.APPROVER, Role.APPROVER, status=302, posted=404),
    Row("reviews", Role.VIEWER),
    Row("reviews/blockers", Role.EDITOR, Role.EDITOR, status=302),
    Row("reviews/freeze", Role.APPROVER, Role.APPROVER, status=302, posted=302),
    Row("reviews/<slug:name>", Role.EDITOR, Role.EDITOR, status=302),
    Row("governance", Role.VIEWER),
    Row("governance/sign", Role.APPROVER, Role.APPROVER, status=302, posted=302),
    Row("governance/audits/<str:digest>", Role.VIEWER, status=404),
    Row("account/login", None),
    Row("account/closed", None),
    Row("account/logout", None),
    Row("account/password", None),
    Row("account/again", None),
    Row("account/second", None),
    Row("account/second/enter", None),
    Row("account/second/again", None),
    Row("account/second/set-up", None),
    Row("account/second/move", None),
    Row("account/second/codes", None),
    Row("account/second/codes/new", None),
    Row("<path:rest>", Role.VIEWER, status=404),
)
