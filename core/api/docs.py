"""The API's documentation as one plain page, made from the OpenAPI description: no script, nothing from elsewhere."""

from html import escape
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1f2933; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #cbd2d9; text-transform: capitalize; }
h3 { font: 600 1rem ui-monospace, monospace; margin: 1.6rem 0 .3rem; overflow-wrap: anywhere; }
pre { background: #f5f7fa; padding: .7rem; overflow-x: auto; border-radius: 6px; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .2rem .6rem .2rem 0; vertical-align: top; }
td:first-child { font-family: ui-monospace, monospace; } code { background: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  body { background: #14181d; color: #e4e7eb; } pre, code { background: #1f252c; } h2 { border-color: #3e4c59; }
}
"""

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} API</title><style>{style}</style></head><body>
<h1>{title} API {version}</h1>{description}
<p>Machine-readable: <a href="{root}/openapi.json">openapi.json</a></p>"""

Json = dict[str, Any]


@router.get("/docs")
def docs(request: Request) -> HTMLResponse:
    """Show all routes with their fields, answers and a curl line."""
    root = request.scope.get("root_path", "").rstrip("/")
    return HTMLResponse(page(request.app.openapi(), root))


def page(described: Json, root: str) -> str:
    """Return the page for an OpenAPI description.

    Args:
        root: path that the API is mounted at.
    """
    info = described["info"]
    description = "".join(f"<p>{escape(part)}</p>" for part in info["description"].split("\n\n"))
    parts = [
        HEAD.format(
            title=escape(info["title"]),
            version=escape(info["version"]),
            description=description,
            root=escape(root),
            style=STYLE,
        )
    ]
    tag = None
    for path, methods in described["paths"].items():
        for method, route in methods.items():
            if route["tags"][0] != tag:
                tag = route["tags"][0]
                parts.append(f"<h2>{escape(tag)}</h2>")
            parts.append(_route(described, root + path, method.upper(), route))
    return "\n".join([*parts, "</body></html>"])


def _route(described: Json, path: str, method: str, route: Json) -> str:
    """One route: what it does, what it takes, what it answers, how to call it."""
    rows = [
        _row(each["name"], each.get("schema", {}), each.get("required", False)) for each in route.get("parameters", [])
    ]
    content = route.get("requestBody", {}).get("content", {})
    form, body = (content.get(kind, {}).get("schema", {}) for kind in ("multipart/form-data", "application/json"))
    for schema in (form, body):
        needed = schema.get("required", [])
        rows += [_row(name, field, name in needed) for name, field in schema.get("properties", {}).items()]
    table = f"<table><tr><th>field</th><th>value</th><th></th></tr>{''.join(rows)}</table>" if rows else ""
    sent = " -F file=@image.png" if form else ""
    if body.get("required"):
        example = ", ".join(f'"{name}": "..."' for name in body["required"])
        sent = f" -d '{{{example}}}'"
    verb = f" -X {method}" if method != "GET" and not sent else ""
    curl = f'curl{verb} -H "Authorization: Bearer $TOKEN"{sent} http://localhost:8501{path}'
    return (
        f"<h3>{method} {escape(path)}</h3><p>{escape(route.get('description', ''))}</p>{table}"
        f"<p>Answer: {_answer(described, route)}</p><pre>{escape(curl)}</pre>"
    )


def _row(name: str, schema: Json, required: bool) -> str:
    kinds = [schema, *schema.get("anyOf", [])]
    allowed = next((kind["enum"] for kind in kinds if "enum" in kind), None)
    kind = (
        " | ".join(map(str, allowed)) if allowed else next((each["type"] for each in kinds if "type" in each), "text")
    )
    default = schema.get("default")
    kind = "file" if schema.get("format") == "binary" else kind
    said = [
        schema.get("description", ""),
        "required" if required else "",
        f"default {default}" if default not in (None, "") else "",
    ]
    meaning = " ".join(each.rstrip(".") + "." for each in said if each)
    return f"<tr><td>{escape(name)}</td><td>{escape(kind)}</td><td>{escape(meaning)}</td></tr>"


def _answer(described: Json, route: Json) -> str:
    """Name the fields of a JSON answer, or its media type."""
    kind, content = next(iter(route["responses"]["200"].get("content", {"": {}}).items()))
    schema = content.get("schema", {})
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref")
    if reference is None:
        return escape(kind or "nothing")
    fields = described["components"]["schemas"][reference.rsplit("/", 1)[-1]]["properties"]
    listed = ", ".join(f"<code>{escape(name)}</code>" for name in fields)
    return f"{'a list of ' if 'items' in schema else ''}{escape(kind)} with {listed}"
