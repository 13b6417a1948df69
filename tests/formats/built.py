"""Every format of the catalog, made with what it cannot be made without."""

from functools import cache

from bridge.core.examples import example_options
from bridge.core.ports import Format
from bridge.plugins import Plugins

NAMES = tuple(Plugins().names("format"))

TEMPLATE = """{
  "id": {{ id | json }}, "type": {{ type | json }}, "text": {{ summary | cut(400) | json }},
  "facts": { {%- for fact in facts %}{{ fact.name | json }}: {{ fact.value | cut(200) | json }}
    {{- "," if not loop.last }}{% endfor -%} },
  "metadata": {{ data.get("metadata", {}).keys() | list | length }},
  "note": {{ data.get("metadata", {}).get("note", "") | json }},
  "links": [{% for link in links %}
    {{- link.url | json if link.url | length < 4000 else "null" }}{{ "," if not loop.last }}
    {%- endfor %}]
}"""


@cache
def built(name: str) -> Format:
    """Return a format, its needed options filled in."""
    plugin = Plugins().load("format", name)
    needed = {"template": TEMPLATE} if name == "template" else example_options(plugin)
    made: Format = plugin(**needed)
    return made
