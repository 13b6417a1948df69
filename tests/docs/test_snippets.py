"""The verifiers in the pages tell genuine callbacks from others, in whatever language."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from bridge.core.delivering.signing import hub_signature, read_key, signature_headers
from bridge.telemetry.clock import SystemClock
from tests.config.given import OTHER_SECRET, SECRET
from tests.docs.pages import DOCS, README, ROOT, block, blocks

RECEIVERS = DOCS / "receivers.md"
BODY = '{"type":"generation.completed","data":{"prompt":"Zażółć 🎬"}}'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    headers: Mapping[str, str]
    body: bytes = BODY

    @property
    def three(self) -> list[str]:
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        return [self.headers.get(name, "") for name in names]


def _signed(*secrets: str, age: int = 0) -> Callback:
    keys = [read_key(secret) for secret in secrets]
    moment = int(SystemClock().now().timestamp()) - age
    return Callback(headers=dict(signature_headers(keys, "msg-1", moment, BODY)))


def _with(header: str, value: str) -> Callback:
    good = _signed(SECRET)
    return replace(good, headers={**good.headers, header: value})


def _without(header: str) -> Callback:
    good = _signed(SECRET)
    return replace(good, headers={k: v for k, v in good.headers.items() if k != header})


def _cases() -> Mapping[str, tuple[Callback, bool]]:
    """Callbacks that are signed now: a time is told from now, not from when tests are gathered."""
    return {
        "genuine": (_signed(SECRET), True),
        "the newer of two secrets is not ours": (_signed(OTHER_SECRET, SECRET), True),
        "the older of two secrets is not ours": (_signed(SECRET, OTHER_SECRET), True),
        "two minutes old": (_signed(SECRET, age=120), True),
        "another secret": (_signed(OTHER_SECRET), False),
        "another body": (replace(_signed(SECRET), body=BODY + b" "), False),
        "another id": (_with("webhook-id", "msg-2"), False),
        "another time": (_with("webhook-timestamp", "1795249800"), False),
        "six minutes old": (_signed(SECRET, age=360), False),
        "six minutes ahead": (_signed(SECRET, age=-360), False),
        "an unreadable time": (_with("webhook-timestamp", "soon"), False),
        "a broken signature": (_with("webhook-signature", "v1,AAAA v1 ,"), False),
        "no signature": (_without("webhook-signature"), False),
        "no headers": (Callback(headers={}), False),
    }


Verifier: TypeAlias = Callable[[Callback], bool]


def _all_told_apart(verifier: Verifier) -> None:
    cases = _cases()
    told = {name: verifier(callback) for name, (callback, _) in cases.items()}
    assert told == {name: good for name, (_, good) in cases.items()}


def _needed(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def _succeeds(
    command: Sequence[str | Path], callback: Callback, folder: Path, *words: str
) -> bool:
    """Whether a program that is given a callback ends with 0; with 1 it says no."""
    done = subprocess.run(
        [*command, *words],
        input=callback.body,
        capture_output=True,
        check=False,
        cwd=folder,
        env={**os.environ, "SECRET": SECRET, "HEADERS": json.dumps(dict(callback.headers))},
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.returncode == 0


def _python(text: str) -> dict[str, Callable[[bytes, Mapping[str, str], str], object]]:
    made: dict[str, Callable[[bytes, Mapping[str, str], str], object]] = {}
    exec(compile(text, "snippet", "exec"), made)  # noqa: S102  (our own pages)
    return made


def test_the_readmes_python_with_our_own_verifier() -> None:
    genuine = _python(block(README, "python", "bridge.verify"))["genuine"]
    _all_told_apart(lambda c: genuine(c.body, c.headers, SECRET) == "msg-1")


def test_the_readmes_python_with_the_library() -> None:
    event = _python(block(README, "python", "standardwebhooks"))["event"]

    def verified(callback: Callback) -> bool:
        try:
            return bool(event(callback.body, callback.headers, SECRET) == json.loads(BODY))
        # The library has an error of its own, and lets some of Python's through.
        except (WebhookVerificationError, ValueError):
            return False

    _all_told_apart(verified)


def test_python_with_nothing_but_its_library() -> None:
    genuine = _python(block(RECEIVERS, "python", "def genuine"))["genuine"]
    _all_told_apart(lambda c: bool(genuine(c.body, c.headers, SECRET)))


def test_our_verifier_works_when_it_is_copied_to_a_receiver(tmp_path: Path) -> None:
    shutil.copy(ROOT / "bridge/verify.py", tmp_path)
    script = (
        "import json, os, sys, verify; verify.verify(sys.stdin.buffer.read(), "
        "json.loads(os.environ['HEADERS']), os.environ['SECRET'])"
    )
    # -I: neither this checkout nor what is installed beside it, but for the folder itself.
    alone = f"import sys; sys.path[:0] = [{str(tmp_path)!r}]; {script}"
    command = [sys.executable, "-I", "-S", "-c", alone]
    assert _succeeds(command, _signed(SECRET), tmp_path)


def _node_folder(folder: Path) -> Path:
    (folder / "genuine.mjs").write_text(block(README, "js", "createHmac"))
    (folder / "receiver.mjs").write_text(block(RECEIVERS, "js", "createServer"))
    return folder


def test_javascript(tmp_path: Path) -> None:
    node, folder = _needed("node"), _node_folder(tmp_path)
    (folder / "main.mjs").write_text(
        'import { readFileSync } from "node:fs"; import { genuine } from "./genuine.mjs";\n'
        "const { HEADERS, SECRET } = process.env;\n"
        "process.exit(genuine(readFileSync(0), JSON.parse(HEADERS), SECRET) ? 0 : 1);\n"
    )
    _all_told_apart(lambda c: _succeeds([node, "main.mjs"], c, folder))


def test_a_receiver_in_node_answers_and_acts(tmp_path: Path) -> None:
    node, folder = _needed("node"), _node_folder(tmp_path)
    (folder / "main.mjs").write_text(
        'import { readFileSync } from "node:fs"; import { receiver } from "./receiver.mjs";\n'
        "const { HEADERS, SECRET } = process.env, body = readFileSync(0), acts = [];\n"
        "const server = receiver(SECRET, (id, event) => acts.push(id, event.type));\n"
        'server.listen(0, "127.0.0.1", async () => {\n'
        "  const url = `http://127.0.0.1:${server.address().port}/`;\n"
        '  const options = { method: "POST", headers: JSON.parse(HEADERS), body };\n'
        "  const { status } = await fetch(url, options);\n"
        '  const acted = acts.join() === "msg-1,generation.completed";\n'
        "  if (acted !== (status === 204) || ![204, 401].includes(status)) process.exit(2);\n"
        "  process.exit(acted ? 0 : 1);\n"
        "});\n"
    )
    for name in ("genuine", "another body"):
        callback, good = _cases()[name]
        assert _succeeds([node, "main.mjs"], callback, folder) == good


def test_node_red(tmp_path: Path) -> None:
    node = _needed("node")
    (tmp_path / "function.js").write_text(block(RECEIVERS, "js", "msg.req.headers"))
    (tmp_path / "main.mjs").write_text(
        'import crypto from "node:crypto"; import { readFileSync } from "node:fs";\n'
        "const { HEADERS, SECRET } = process.env;\n"
        # As Node-RED makes it: the text becomes the inside of a function.
        'const act = new Function("msg", "env", "crypto", readFileSync("function.js", "utf8"));\n'
        "const req = { headers: JSON.parse(HEADERS) }, env = { get: () => SECRET };\n"
        "const [answer, event] = act({ req, payload: readFileSync(0) }, env, crypto);\n"
        'const acted = event?.payload.type === "generation.completed";\n'
        "if (answer.statusCode !== (acted ? 204 : 401)) process.exit(2);\n"
        "process.exit(acted ? 0 : 1);\n"
    )
    _all_told_apart(lambda c: _succeeds([node, "main.mjs"], c, tmp_path))


def _rule(secret: str) -> Any:
    """The rule of the page with a secret in the place of the dots."""
    (rule,) = json.loads(block(RECEIVERS, "json", "trigger-rule"))
    rule["trigger-rule"]["match"]["secret"] = secret
    return rule


def test_the_rule_names_the_header_that_is_sent_and_what_is_in_the_body() -> None:
    rule = _rule(SECRET)
    match = rule["trigger-rule"]["match"]
    assert match["type"] == "payload-hmac-sha256"
    assert match["parameter"] == {"source": "header", "name": "X-Hub-Signature-256"}
    assert '"x-hub-signature-256"' in (ROOT / "bridge/engine/courier.py").read_text()
    assert rule["pass-arguments-to-command"][0]["name"] == "data.generation_id"


@pytest.mark.parametrize(
    ("secret", "genuine"), [(SECRET, True), (OTHER_SECRET, False), (None, False)]
)
def test_a_rule_without_code_runs_its_command_for_genuine_callbacks_alone(
    tmp_path: Path, secret: str | None, genuine: bool
) -> None:
    program, port = _needed("webhook"), _free_port()
    told = tmp_path / "told"
    rule = _rule(SECRET) | {"execute-command": _needed("touch")}
    rule["pass-arguments-to-command"] = [{"source": "string", "name": str(told)}]
    rule["include-command-output-in-response"] = True  # the answer waits for the command
    (tmp_path / "hooks.json").write_text(json.dumps([rule]))
    command = [program, "-hooks", "hooks.json", "-ip", "127.0.0.1", "-port", str(port)]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            answered = _posted(f"http://127.0.0.1:{port}/hooks/generations", secret)
        finally:
            process.kill()
    assert ((answered == 200), told.exists()) == (genuine, genuine)


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
    return port


def _posted(url: str, secret: str | None) -> int:
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers["x-hub-signature-256"] = hub_signature(read_key(secret), BODY)
    transport = httpx.HTTPTransport(retries=6)  # until the program listens
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.post(url, content=BODY, headers=headers).status_code


def test_go(tmp_path: Path) -> None:
    go = _needed("go")
    imports = "crypto/hmac crypto/sha256 encoding/base64 net/http strconv strings time"
    more = f"{imports} encoding/json io os".split()
    (tmp_path / "main.go").write_text(
        "package main\nimport (\n"
        + "".join(f'"{name}"\n' for name in more)
        + ")\n"
        + block(RECEIVERS, "go", "func Genuine")
        + "func main() {\n"
        "body, _ := io.ReadAll(os.Stdin)\n"
        "named, header := map[string]string{}, http.Header{}\n"
        'json.Unmarshal([]byte(os.Getenv("HEADERS")), &named)\n'
        "for name, value := range named { header.Set(name, value) }\n"
        'if !Genuine(body, header, os.Getenv("SECRET")) { os.Exit(1) }\n'
        "}\n"
    )
    program = tmp_path / "genuine"
    subprocess.run([go, "build", "-o", program, "main.go"], cwd=tmp_path, check=True)
    _all_told_apart(lambda c: _succeeds([program], c, tmp_path))


def test_php(tmp_path: Path) -> None:
    php = _needed("php")
    (tmp_path / "main.php").write_text(
        "<?php\n"
        + block(RECEIVERS, "php", "function genuine")
        + "$words = array_slice($argv, 1); $body = file_get_contents('php://stdin');\n"
        "exit(genuine($body, ...$words, secret: getenv('SECRET')) ? 0 : 1);\n"
    )
    _all_told_apart(lambda c: _succeeds([php, "main.php"], c, tmp_path, *c.three))


def test_ruby(tmp_path: Path) -> None:
    ruby = _needed("ruby")
    (tmp_path / "main.rb").write_text(
        block(RECEIVERS, "ruby", "def genuine?")
        + 'exit genuine?($stdin.binmode.read, *ARGV, ENV.fetch("SECRET"))\n'
    )
    _all_told_apart(lambda c: _succeeds([ruby, "main.rb"], c, tmp_path, *c.three))


def test_shell(tmp_path: Path) -> None:
    _needed("openssl")
    (tmp_path / "genuine.sh").write_text(block(RECEIVERS, "sh", "openssl"))
    _all_told_apart(lambda c: _succeeds(["sh", "genuine.sh"], c, tmp_path, *c.three))


def test_no_verifier_is_long() -> None:
    languages = {"python": 1, "js": 2, "go": 1, "php": 1, "ruby": 1, "sh": 1, "json": 1}
    shown = [b for word in languages for b in blocks(RECEIVERS, word)]
    assert Counter(b.language for b in shown) == languages
    for verifier in (*shown, *blocks(README, "js")):
        lines = [line for line in verifier.text.splitlines() if line.strip()]
        assert len(lines) <= 12, verifier
