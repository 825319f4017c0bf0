"""All commands by name. Nothing heavy is imported here: `--help` must answer at once."""

import typer

from core.cli import accounts, service
from core.cli.analyze import analyze
from core.cli.filter import filter_images
from core.cli.sample import sample
from core.cli.stain import stain
from core.cli.train import train

app = typer.Typer(
    help="IHC Workbench: score immunohistochemistry images, train the models. Research use only. Not for diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(analyze)
app.command()(train)
app.command()(sample)
app.command()(stain)
app.command("filter")(filter_images)
app.command()(service.serve)
app.command()(service.doctor)
app.add_typer(accounts.users, name="user")
app.add_typer(accounts.tokens, name="token")
