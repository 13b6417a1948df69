import json

import pytest

from bridge.core.delivering.signing import Kind, fingerprint, public_text, read_key
from tests.cli.calling import genbridge


def test_a_new_secret_is_all_there_is_on_standard_output() -> None:
    done = genbridge("keys", "new")
    assert done.returncode == 0
    key = read_key(done.stdout.removesuffix("\n"))
    assert key.kind is Kind.HMAC
    assert len(key.material) == 32


def test_how_it_is_put_into_the_configuration_is_told_beside_it() -> None:
    done = genbridge("keys", "new")
    assert f"export STUDIO_SECRET={done.stdout.strip()}\n" in done.stderr
    assert "secret: ${STUDIO_SECRET}" in done.stderr


def test_no_secret_is_made_twice() -> None:
    assert genbridge("keys", "new").stdout != genbridge("keys", "new").stdout


def test_a_pair_is_two_lines_secret_first() -> None:
    done = genbridge("keys", "new", "--ed25519")
    secret, public = done.stdout.splitlines()
    assert public_text(read_key(secret)) == public
    assert "public key" in done.stderr


@pytest.mark.parametrize("kind", [[], ["--ed25519"]])
def test_programs_get_json_and_nothing_else(kind: list[str]) -> None:
    done = genbridge("keys", "new", "--json", *kind)
    document = json.loads(done.stdout)
    key = read_key(document["secret"])
    assert document["public"] == public_text(key)
    assert document["fingerprint"] == fingerprint(key)
    assert done.stderr == ""
