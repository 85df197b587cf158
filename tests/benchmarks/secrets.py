"""Measure the search for secrets: forms of secrets found, and clean lines marked.

    python -m tests.benchmarks.secrets

A form is a line of code, configuration or prose with one secret in it. It counts as
found when nothing of the secret is left after redaction. Secrets are drawn when this
runs, and prefixes are put together from parts, so that no scanner reports this file.
Clean lines hold what resembles a secret: placeholders, digests, names, addresses.
tests/samples/test_secret_forms.py holds the bars: 95 of 100 found, 2 of 100 marked.
"""

from __future__ import annotations

import base64
import json
import random
import string
import time
from collections.abc import Iterator
from dataclasses import dataclass

from repobuild.samples.dataset.secret_detection import find_secrets, redact
from tests.benchmarks import table

HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
ALNUM = string.ascii_letters + string.digits
URL = ALNUM + "-_"
DRAWS = 5  # times that each form is drawn, with other secrets

# Kind -> parts of the prefix, alphabet and length of the rest.
TOKENS: dict[str, tuple[tuple[str, ...], str, int]] = {
    "Databricks": (("da", "pi"), HEX, 32),
    "DigitalOcean": (("dop", "_v1_"), HEX, 64),
    "DigitalOcean OAuth": (("doo", "_v1_"), HEX, 64),
    "Shopify": (("shp", "at_"), HEX, 32),
    "Shopify secret": (("shp", "ss_"), HEX, 32),
    "Mailgun": (("ke", "y-"), HEX, 32),
    "age": (("AGE-SECRET", "-KEY-1"), "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
    "Google OAuth": (("GOC", "SPX-"), URL, 28),
    "Google API": (("AI", "za"), URL, 35),
    "Google access": (("ya", "29."), URL, 80),
    "OpenAI project": (("sk-", "proj-"), URL, 90),
    "OpenAI service": (("sk-", "svcacct-"), URL, 90),
    "OpenRouter": (("sk-", "or-v1-"), HEX, 64),
    "Anthropic": (("sk-", "ant-api03-"), URL, 95),
    "Groq": (("gs", "k_"), ALNUM, 52),
    "Perplexity": (("pp", "lx-"), ALNUM, 48),
    "xAI": (("xa", "i-"), ALNUM, 80),
    "Replicate": (("r", "8_"), ALNUM, 37),
    "Linear": (("lin", "_api_"), ALNUM, 40),
    "Hugging Face": (("h", "f_"), ALNUM, 34),
    "LangSmith": (("lsv2", "_pt_"), HEX, 32),
    "GitHub": (("gh", "p_"), ALNUM, 36),
    "GitHub app": (("gh", "s_"), ALNUM, 36),
    "GitHub fine-grained": (("github", "_pat_"), ALNUM, 82),
    "GitLab": (("gl", "pat-"), URL, 20),
    "GitLab runner": (("gl", "rt-"), URL, 20),
    "Bitbucket": (("AT", "BB"), ALNUM, 32),
    "Atlassian": (("ATA", "TT3x"), URL, 180),
    "Slack bot": (("xo", "xb-"), string.digits, 12),
    "Slack app": (("xa", "pp-1-"), UPPER, 11),
    "Stripe": (("sk", "_live_"), ALNUM, 24),
    "Stripe restricted": (("rk", "_live_"), ALNUM, 24),
    "Stripe webhook": (("wh", "sec_"), ALNUM, 32),
    "SendGrid": (("S", "G."), URL, 22),
    "Brevo": (("xkey", "sib-"), HEX, 64),
    "Postman": (("PM", "AK-"), HEX, 24),
    "New Relic": (("NR", "AK-"), UPPER, 27),
    "Grafana service": (("gl", "sa_"), ALNUM, 32),
    "Grafana cloud": (("gl", "c_"), ALNUM, 60),
    "Sentry": (("snt", "ryu_"), HEX, 64),
    "PyPI": (("py", "pi-AgEIcHlwaS5vcmc"), URL, 90),
    "npm": (("np", "m_"), ALNUM, 36),
    "RubyGems": (("ruby", "gems_"), HEX, 48),
    "crates.io": (("ci", "o"), ALNUM, 32),
    "Clojars": (("CLO", "JARS_"), LOWER, 60),
    "Docker Hub": (("dckr", "_pat_"), URL, 27),
    "HashiCorp Vault": (("hv", "s."), URL, 90),
    "Doppler": (("dp", ".pt."), ALNUM, 43),
    "Pulumi": (("pu", "l-"), HEX, 40),
    "PlanetScale": (("pscale", "_tkn_"), URL, 43),
    "Supabase": (("sb", "p_"), HEX, 40),
    "Netlify": (("nf", "p_"), ALNUM, 36),
    "Fly": (("fm", "2_"), ALNUM, 100),
    "Tailscale": (("tskey-", "auth-"), ALNUM, 24),
    "Pinecone": (("pc", "sk_"), ALNUM, 60),
    "Notion": (("nt", "n_"), ALNUM, 46),
    "Figma": (("fi", "gd_"), URL, 40),
    "Dropbox": (("s", "l."), URL, 135),
    "Contentful": (("CF", "PAT-"), URL, 43),
    "Typeform": (("tf", "p_"), ALNUM, 44),
    "ReadMe": (("rd", "me_"), LOWER, 70),
    "SonarQube": (("sq", "p_"), HEX, 40),
    "AWS": (("AK", "IA"), UPPER, 16),
    "AWS session": (("AS", "IA"), UPPER, 16),
    "Alibaba": (("LT", "AI"), ALNUM, 20),
    "Twilio": (("S", "K"), HEX, 32),
    "EasyPost": (("EZ", "AK"), ALNUM, 54),
    "Telegram": (("1234", "56789:AA"), URL, 33),
    "Facebook": (("EA", "ACEdEose0cBA"), ALNUM, 100),
}
_TAILS = {
    "Slack bot": ("-", ALNUM, 24),
    "Slack app": ("-1234567890-", HEX, 64),
    "SendGrid": (".", URL, 43),
    "Brevo": ("-", ALNUM, 16),
    "Postman": ("-", HEX, 34),
    "LangSmith": ("_", HEX, 10),
    "Grafana service": ("_", HEX, 8),
    "Tailscale": ("-", ALNUM, 32),
}
AROUND = (
    'connect("{}")',
    'headers = {{"Authorization": "Bearer {}"}}',
    "# call it with {} until Friday",
    'call(f"{}")',
    "send(b'{}')",
    '    """Log in with {}, as the others do."""',
    'url = "https://api.example.net/v1?limit=3&auth={}"',
    "X_AUTH={}",
    "os.environ.setdefault('X_AUTH', '{}')",
    "  - run: login --with {} --quiet",
)
# Passwords: what follows has no form of its own; the text around it shows what it is.
PASSWORDS = (
    'password = "{}"',
    'password: str = "{}"',
    'PASSWORD: Final[str] = "{}"',
    'db_password = f"{}"',
    "db_password = b'{}'",
    "self.secret = r'{}'",
    'def login(user, password="{}"):',
    'def login(user: str, password: str = "{}") -> None:',
    "connect(host, password='{}', port=3)",
    '{{"client_secret": "{}"}}',
    "    'passwd': '{}',",
    'os.environ["DB_PASSWORD"] = "{}"',
    "os.environ.setdefault('DB_PASSWORD', '{}')",
    'password = SecretStr("{}")',
    "if password == '{}':",
    "if '{}' == password:",
    'settings.set("admin.password", "{}")',
    'private const string Password = "{}";',
    "password: '{}'",
    "set_password('{}')",
    'login(passwd := "{}")',
    'DEFAULTS = dict(api_secret="{}")',
)
CONNECTIONS = (
    ("redis://:{}@cache.internal:6379/0", ALNUM),
    ("postgres://admin:{}@db.internal/main", ALNUM),
    ('engine = create("mysql+pymysql://root:{}@10.0.0.3/app")', ALNUM),
    ("amqp://:{}@queue.internal//", ALNUM),
    ("cloudinary://123456789012345:{}@media", URL),
    ("git clone https://oauth2:{}@git.internal/a/b.git", ALNUM),
    ('dsn = "Server=db;Uid=sa;Pwd={};"', ALNUM),
    ('"Data Source=db1;User ID=sa;Password={}"', ALNUM),
    ("Host=db;Database=app;Username=app;Password={};Timeout=3", ALNUM),
    ("Endpoint=sb://a.net/;SharedAccessKeyName=x;SharedAccessKey={}=", ALNUM),
    ("jdbc:postgresql://db/app?user=app&password={}&ssl=true", ALNUM),
    ("https://{}@o1.ingest.sentry.invalid/42", HEX),
    ("machine git.internal login robot password {}", ALNUM),
    ("curl -u robot:{} https://git.internal/api", ALNUM),
    ("mysqldump --user=root --password={} app", ALNUM),
    ("export SECRET_KEY={}  # of the site", ALNUM),
    ("ENV DB_PASSWORD={}", ALNUM),
    ("https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/{}", ALNUM),
    ("https://discord.com/api/webhooks/123456789012345678/{0}{0}{0}", URL),
    ("https://a.blob.core.windows.net/c?sv=2022&sig={}%3D", ALNUM),
    ("Authorization: Bearer {}", ALNUM),
    ("curl -H 'X-Api-Key: {}' https://git.internal", HEX),
    ("git -c http.extraheader='Authorization: Basic {}' fetch", ALNUM),
)
CLEAN = (
    'password = "password"',
    'password = "password123"',
    'password = "<your password>"',
    'password: str = "<your password>"',
    'password = os.environ["DB_PASSWORD_2"]',
    "password = getpass.getpass(f'Password for {user2}: ')",
    'API_KEY = "YOUR_API_KEY_12345"',
    "api_key=settings.API_KEY_V2_of_the_site, timeout=30",
    "SECRET_KEY=$(openssl rand -base64 32)",
    'secret_name = "the-name-of-it-2"',
    'def login(password: str = "", *, api_key: str | None = None) -> Token:',
    'raise KeyError("no such key in Section2: " + key)',
    'parser.add_argument("--password", help="the password of User1")',
    "postgres://user:password@localhost:5432/db",
    "https://{user}:{password}@host2/",
    "https://$USER:$PASSWORD@host/",
    "https://%s:%s@example.org/",
    "https://<user>:<password>@host/",
    'url = "http://user:pass@example.com/path"',
    'commit = "2c8cd3acd5e1bc7d1d9d8ef1e1bf2a0d4f7d9a3b"',
    'sha256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"',
    'id = "123e4567-e89b-12d3-a456-426614174000"',
    '"integrity": "sha512-kR4T9mP1xZ7qL2vB8nC3wY6jF5hD0sG4aE1uI9oP2lK7mN3bV6cX=="',
    'wheel hash = "yR4T9mP1xZ7qL2vB8nC3wY6jF5hD0sG4aE1uI9oP2lK"',
    'ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"',
    'path = "tests/Data2/SomeLongFileName/WithManyWords/utf8_Sample01.json"',
    'name = "SomeVeryLongClassNameForVersion2OfTheApi"',
    "MyVeryLongModuleNameHere2.params.another_quite_long_name_here",
    "https://github.com/pallets/click/pull/3778#issuecomment-1234567890",
    "__all__ = ['N8pkcs7_st4DOLLAR_15E', 'N23_ossl_old_des_ks_struct4DOLLAR_10E']",
    "test_that_utf8_names_of_more_than_255_bytes_are_cut(tmp_path)",
    "sk-learn, gl-matrix, xox-games and SG.x are names",
    "===================================================1",
    'token = "<|endoftext|>"',
    'token = "[MASK]"',
    "token = tokens[index + 1].text2",
    'token_url = "https://auth.example.org/oauth2/v2.0/token"',
    "self.token = self._next_Token2(self.position)",
    'headers = {"Authorization": f"Bearer {self.token2}"}',
    'headers = {"Authorization": "Bearer <token>"}',
    'headers["Authorization"] = "Bearer %s" % token',
    "Authorization: Bearer $GITHUB_TOKEN",
    "Authorization: Bearer YOUR_TOKEN_HERE_12345",
    "key = f'{prefix2}:{name}:{version}'",
    'cache_key = "user:profile:v2:1234"',
    'primary_key = "OrderLine2Id"',
    'keyword = "Async1Function"',
    'FOREIGN_KEY = "CustomerAddressId2"',
    'key="ctrl+Shift+F12"',
    'bind("<Control-Shift-Key-F12>", self.on_key)',
    "hf_transformers_version_4 = load('hf_tokenizer_2')",
    "r8_uint_format = formats['R8_UNORM']",
    "sk_estimator_2 = make_pipeline(sk_scaler, sk_model)",
    "npm_config_registry_2 = 'https://registry.npmjs.org/'",
    "dapi_client_v2 = DapiClient2(dapi_url)",
    "key-value-store-2 and key-frame-1080p60",
    "glc_context_3 = glCreateContext3D(glsa_mode)",
    "pul-down menus, sbp_rate_120 and sqp_solver_2",
    "ntn_count = ntn_table['2024-01-02T03:04:05Z']",
    'version = "1.2.3-beta.4+build.20240102.a1b2c3d"',
    "image: registry.internal/app@sha256:" + "4e38" * 16,
    "uses: actions/checkout@8f4b7f84864484a7bf31766abe9204da3cbe65b3",
    '"resolved": "https://registry.npmjs.org/a/-/a-1.2.3.tgz#a1b2c3d4e5f6a7b8c9d0"',
    "h1:Zx1mV9qW8rT7yU6iO5pL4kJ3hG2fD1sA0qWeRtYuIoP= // checksum of go.sum",
    "ETag: W/\"5d8c72a5edda8d6a-1f4\"",
    "color: #1a2b3c4d; background: #A1B2C3",
    "0x1f2e3d4c5b6a79880f1e2d3c4b5a6978",
    "address = '0x52908400098527886E0F7030069857D2E4169EE7'",
    "mac = '3c:5a:b4:01:02:03'",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "Gk2" * 12 + " user@host",
    "-----BEGIN PUBLIC KEY-----",
    "-----BEGIN CERTIFICATE-----",
    "MIME-Version: 1.0; boundary=----=_Part_12_34567890.1234567890123",
    "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    'assert base64.b64encode(b"hello world") == b"aGVsbG8gd29ybGQ="',
    "Lorem1Ipsum2Dolor3SitAmet4Consectetur5",
    "struct.unpack('<4sI2HQ16s', header[:40])",
    "_Z3fooIiEvT_S0_PKcRKSt6vectorIiSaIiEE",
    "re.compile(r'(?P<key>[A-Za-z0-9_]+)=(?P<value>[^;]*)')",
    'password_regex = r"^(?=.*[A-Z])(?=.*\\d)[A-Za-z\\d@$!%*?&]{8,}$"',
    'help="password (default: %(default)s)"',
    "PASSWORD=${DB_PASSWORD:-changeme}",
    "password: {{ vault_db_password2 }}",
    "password: ${{ secrets.PYPI_TOKEN2 }}",
    "mysql --user=root --password=$MYSQL_ROOT_PASSWORD2",
    "curl -u user:password https://example.org",
    "curl -u $USER:$TOKEN https://example.org",
    "Server=localhost;Database=app;Trusted_Connection=True;",
    "Server=db;Uid=sa;Pwd={password};",
    "Server=db;Uid=sa;Pwd=<password>;",
    "jdbc:postgresql://db/app?user=app&password=secret",
    "redis://localhost:6379/0",
    "redis://:password@localhost:6379/0",
    "https://hooks.slack.com/services/XXX/YYY/ZZZ",
    "https://abc@o0.ingest.sentry.io/0",
    "git@github.com:owner/name2.git",
    "mailto:first.last2@example.org",
    "time = '2024-01-02T03:04:05.678901+00:00'",
    "ISBN 978-3-16-148410-0, DOI 10.1000/182a4b5c",
    "SELECT password_hash FROM users WHERE id = 42 AND api_key IS NOT NULL",
    'raise ValueError(f"bad password for {user.name2}: {error}")',
    "class PasswordResetTokenGenerator2(BaseTokenGenerator):",
    "from app.secrets2 import SecretManager, get_secret_value",
    'password_field = "form-Control2"',
    'label = "Forgot your Password2?"',
    "if token.type2 == TokenType.NAME and token.string2 != 'def':",
    'tokens = ["Hello1", "World2"]',
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Form:
    """A line that holds a secret."""

    name: str
    line: str
    secret: str


def forms(seed: int = 1) -> list[Form]:
    """Return every form once, with secrets of this seed."""
    chance = random.Random(seed)

    def draw(letters: str, count: int) -> str:
        while True:  # a draw without digits does not look like a token
            text = "".join(chance.choice(letters) for _ in range(count))
            if count < 8 or sum(map(str.isdigit, text)) or not set(letters) & set("12"):
                return text

    found = []
    for number, (name, (parts, letters, count)) in enumerate(TOKENS.items()):
        secret = "".join(parts) + draw(letters, count)
        if name in _TAILS:
            link, tail, length = _TAILS[name]
            secret += link + draw(tail, length)
        around = AROUND[(number + seed) % len(AROUND)]
        found.append(Form(name, around.format(secret), secret))
    for pattern in PASSWORDS:
        secret = draw(ALNUM, 5) + chance.choice("%$(!#") + draw(ALNUM, 7) + "Q7v"
        found.append(Form(pattern, pattern.format(secret), secret))
    for pattern, letters in CONNECTIONS:
        secret = draw(letters, 32 if letters is HEX else 28)
        found.append(Form(pattern, pattern.format(secret), secret))
    return [*found, *_blocks(draw)]


def _blocks(draw) -> list[Form]:  # type: ignore[no-untyped-def]
    header = {"alg": "HS256", "typ": "JWT"}
    parts = [header, {"sub": "1234567890", "name": draw(ALNUM, 6)}]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts]
    jwt = ".".join([text.decode().rstrip("=") for text in texts] + [draw(URL, 43)])
    key = draw(ALNUM, 64)
    private = "PRIVATE" + " KEY"
    basic = base64.b64encode(f"robot:{draw(ALNUM, 16)}".encode()).decode()
    azure = draw(ALNUM, 86) + "=="
    return [
        Form("JWT in a call", f'decode("{jwt}")', jwt),
        Form("JWT in a header", f"Authorization: Bearer {jwt}", jwt),
        Form("RSA key", f"-----BEGIN RSA {private}-----\n{key}\n", key),
        Form("PKCS8 key", f'k = """-----BEGIN {private}-----\n{key}"""', key),
        Form("OpenSSH key", f"-----BEGIN OPENSSH {private}-----\n{key}\n", key),
        Form("key in JSON", f'"k": "-----BEGIN {private}-----\\n{key}\\n"', key),
        Form("basic header", f'{{"Authorization": "Basic {basic}"}}', basic),
        Form("Azure storage", f"AccountName=a;AccountKey={azure};", azure),
        Form("AWS secret", f'aws_secret_access_key = "{draw(ALNUM, 40)}"', ""),
        Form("long line", f'x = "{"word " * 900}"; password = "aB3$xY7z{key[:9]}"', ""),
    ]


def is_found(form: Form) -> bool:
    """Return whether nothing of the secret is left after redaction."""
    if not form.secret:
        return bool(find_secrets(form.line))
    left = redact(form.line)
    return form.secret not in left and form.secret[-8:] not in left


def _rows() -> Iterator[list[str]]:
    """Yield a row for each group of forms, and one for all with the clean lines."""
    drawn = [list(map(is_found, forms(seed))) for seed in range(DRAWS)]
    count = len(drawn[0])
    first, second = len(TOKENS), len(TOKENS) + len(PASSWORDS)
    third = second + len(CONNECTIONS)
    groups = {
        "tokens of providers": slice(first),
        "passwords by their name": slice(first, second),
        "connection strings, headers, command lines": slice(second, third),
        "JWT, private keys, AWS, Azure, long lines": slice(third, count),
        "all": slice(count),
    }
    marked = sum(bool(find_secrets(line)) for line in CLEAN)
    for name, group in groups.items():
        found = [one for draw in drawn for one in draw[group]]
        clean = [str(len(CLEAN)), str(marked)] if name == "all" else ["", ""]
        share = f"{100 * sum(found) / len(found):.0f} %"
        yield [name, str(len(found) // DRAWS), share, *clean]


def main() -> None:
    """Print the figures, and what was missed or marked."""
    drawn = [form for seed in range(DRAWS) for form in forms(seed)]
    missed = [form for form in drawn if not is_found(form)]
    marked = [line for line in CLEAN if find_secrets(line)]
    began = time.perf_counter()
    for _ in range(100):
        for line in CLEAN:
            find_secrets(line)
    seconds = time.perf_counter() - began
    print(table.markdown(["", "forms", "found", "clean lines", "marked"], _rows()))
    print(
        f"\n{len(missed)} of {len(drawn)} drawn forms missed, each drawn {DRAWS} times"
    )
    print(f"{seconds / 100 / len(CLEAN) * 1e6:.1f} us a clean line")
    for form in missed:
        print(f"  missed  {form.name}: {form.line[:100]}")
    for line in marked:
        print(f"  marked  {line}: {find_secrets(line)}")


if __name__ == "__main__":
    main()
