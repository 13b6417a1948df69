import json

import jsonschema

from tests.cli.calling import genbridge


def test_the_schema_is_printed_as_json_and_knows_the_sections() -> None:
    done = genbridge("schema")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    jsonschema.Draft202012Validator.check_schema(document)
    assert {"sources", "webhooks", "watches", "database"} <= set(document["properties"])


def test_a_misspelt_key_is_refused_by_it() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(genbridge("schema").stdout))
    assert validator.is_valid({"database": "genbridge.db"})
    assert not validator.is_valid({"databse": "genbridge.db"})
