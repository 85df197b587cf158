"""repobuild mcp: serve the repository graph to agents."""

from __future__ import annotations

import click


@click.command("mcp")
@click.option(
    "--http",
    "port",
    metavar="PORT",
    default=0,
    type=click.IntRange(0, 65535),
    help="Serve streamable HTTP on 127.0.0.1 instead of stdin and stdout.",
)
def command(port: int) -> int:
    """Serve the graph of this repository by the Model Context Protocol, read-only.

    An agent starts it in the repository; it ends with its input. The tools: SearchNode,
    FetchNode, ExploreRPG, ListTree, LocateIssue, Impact, ChangeSummary.

    \b
    claude mcp add repobuild -- repobuild mcp
    repobuild mcp --http 8000        http://127.0.0.1:8000/mcp
    """
    from repobuild.checkout import open_checkout
    from repobuild.cli.output import redact_secrets
    from repobuild.errors import UsageError

    try:
        from repobuild.query.mcp_server import make_server
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the server needs a package that is not installed: {error.name}\n"
            "install it: pip install 'repobuild[mcp]'"
        ) from None
    from repobuild.query.graph_view import GraphSource

    checkout = open_checkout()
    source = GraphSource(
        lambda: checkout.view(checkout.snapshot(), checkout.state()), in_memory=True
    )
    server = make_server(source, redact_secrets)
    if port:
        server.run("streamable-http", host="127.0.0.1", port=port)
    else:
        server.run("stdio")
    return 0
