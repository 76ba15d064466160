//! The templates of the unseen corpus.
//!
//! In a template, `{A36}` is 36 characters of a class, and `¦` splits what a scanner of this file
//! would take for a leak.

/// Tokens that show by their own form, one service each.
pub(super) const TOKEN_TEMPLATES: &[&str] = &[
    "gh¦p_{A36}",
    "git¦hub_pat_{A22}_{A59}",
    "gl¦pat-{U20}",
    "gl¦dt-{U20}",
    "xo¦xb-{D12}-{D12}-{A24}",
    "xa¦pp-1-{X11}-{D13}-{H64}",
    "AK¦IA{X16}",
    "AI¦za{U35}",
    "GO¦CSPX-{U28}",
    "1/¦/0{U60}",
    "ya¦29.{U120}",
    "sk¦_live_{A24}",
    "rk¦_live_{A24}",
    "wh¦sec_{A32}",
    "sk¦-ant-api03-{U93}",
    "sk¦-proj-{U74}",
    "sk¦-or-v1-{H64}",
    "gs¦k_{A52}",
    "hf¦_{A34}",
    "np¦m_{A36}",
    "py¦pi-AgEIcHlwaS5vcmc{U90}",
    "ru¦bygems_{H48}",
    "oy¦2{L43}",
    "SG¦.{U22}.{U43}",
    "SK¦{H32}",
    "{H32}-us¦12",
    "key¦-{H32}",
    "xk¦eysib-{H64}-{A16}",
    "se¦cret_{A43}",
    "nt¦n_{A46}",
    "pat¦{A14}.{H64}",
    "{A14}.at¦lasv1.{U67}",
    "gl¦c_eyJ{A60}",
    "gl¦sa_{A32}_{H8}",
    "sn¦tryu_{H64}",
    "sn¦trys_eyJ{A80}",
    "sq0¦atp-{U22}",
    "sq0¦csp-{U43}",
    "{D10}:A¦A{U33}",
    "MT{A22}.{U6}.{U38}",
    "do¦p_v1_{H64}",
    "sh¦pat_{H32}",
    "li¦n_api_{A40}",
    "fi¦gd_{U40}",
    "dc¦kr_pat_{U27}",
    "hv¦s.{U90}",
    "dp¦.pt.{A43}",
    "ATA¦TT3xFfGF0{U180}",
    "AT¦BB{A32}",
    "NR¦AK-{X27}",
    "PM¦AK-{H24}-{H34}",
    "pu¦l-{H40}",
    "ts¦key-auth-{A17}-{A32}",
    "sb¦p_{H40}",
    "r8¦_{A37}",
    "da¦pi{H32}",
    "EZ¦AK{A54}",
    "du¦ffel_live_{U43}",
    "CC¦IPAT_{A22}_{H40}",
    "nf¦p_{A36}",
    "ps¦cale_pw_{U43}",
    "sq¦u_{H40}",
    "tf¦p_{A40}_{A14}",
    "ph¦x_{A43}",
    "ap¦ify_api_{A36}",
    "FL¦WSECK_TEST-{H32}-X",
    "ey¦JhbGciOiJIUzI1NiJ9.{U60}.{U43}",
    "ops¦_eyJ{A250}",
    "ico¦-{A32}",
    "nv¦api-{U64}",
    "tv¦ly-{A32}",
    "pc¦sk_{A5}_{A63}",
    "ls¦v2_pt_{H32}_{H10}",
    "pat-na1-{H8}-{H4}-{H4}-{H4}-{H12}",
    "access-sandbox-{H8}-{H4}-{H4}-{H4}-{H12}",
    "vc¦p_{A56}",
    "cf¦ut_{A48}",
    "rn¦d_{A32}",
];

/// Places where a token stands, instead of `#`.
pub(super) const TOKEN_PLACES: &[&str] = &[
    "MY_TOKEN=#",
    "export SERVICE_KEY=\"#\"",
    "token: #",
    "  \"value\": \"#\",",
    "- tried # and it works",
    "| prod | `#` | rotate |",
    "curl -H \"X-Auth: #\" https://api.example.org",
    "const t = '#';",
    "see https://api.example.org/v1?k=#",
    "**#** is what Ana uses",
    "(#)",
    "# # from the console",
    "> #",
    "the key is #.",
    "run --with # --now",
];

/// Secrets that only their names or places announce.
pub(super) const ASSIGNED_TEMPLATES: &[(&str, &str)] = &[
    ("DD_API_KEY=#", "{H32}"),
    ("CF_API_TOKEN: #", "{U40}"),
    ("HEROKU_API_KEY=#", "{H8}-{H4}-{H4}-{H4}-{H12}"),
    ("algolia_admin_key = \"#\"", "{H32}"),
    ("\"fastly_token\": \"#\"", "{U32}"),
    ("Authorization: SSWS #", "00{U40}"),
    ("Authorization: Bearer #", "{U40}"),
    ("Authorization: token #", "{H40}"),
    ("-H 'Authorization: GenieKey #'", "{H8}-{H4}-{H4}-{H4}-{H12}"),
    ("Authorization: Basic #", "YWRtaW46{A16}"),
    ("Cookie: session=#; theme=dark", "{A48}"),
    ("Set-Cookie: sid=#; HttpOnly", "{H40}"),
    ("curl -b 'PHPSESSID=#' https://example.org", "{L26}"),
    ("JSESSIONID=#", "{X32}"),
    ("https://a.blob.core.windows.net/c/f?sv=2022-11-02&sig=#&se=2026", "{A40}%3D"),
    ("https://b.s3.amazonaws.com/k?X-Amz-Signature=#", "{H64}"),
    ("https://f.azurewebsites.net/api/x?code=#", "{A54}=="),
    ("sshpass -p # ssh root@10.0.0.1", "Vq7{A6}"),
    ("sshpass -p '#' scp a b", "w!{A7}"),
    ("mysql -u root -p# app", "Zt9{A7}"),
    ("redis-cli -h cache -a # ping", "{A20}"),
    ("docker login -u ci -p # registry.example.org", "{A16}4"),
    ("curl -u ana:# https://example.org", "k8{A10}!"),
    ("postgres://app:#@db.example.org:5432/app", "{A14}"),
    ("redis://:#@cache:6379/0", "{A18}"),
    ("amqp://svc:#@mq.example.org/", "{A12}9"),
    ("mongodb+srv://u:#@c0.example.net/x", "{A15}"),
    ("DB_PASSWORD=#", "Tr0ub{A6}!"),
    ("password: \"#\"", "{A14}7"),
    ("| DB password | `#` |", "q4!{A9}"),
    ("PGPASSWORD=# psql -h db", "{A12}3"),
    ("spring.datasource.password=#", "{A13}5"),
    ("AWS_SECRET_ACCESS_KEY=#", "{B40}"),
    ("aws_session_token = #", "IQoJb3JpZ2luX2Vj{A200}"),
    ("AccountKey=#;EndpointSuffix=core.windows.net", "{A86}=="),
    ("client_secret: #", "{A3}8Q~{A34}"),
    ("TWILIO_AUTH_TOKEN=#", "{H32}"),
    ("JENKINS_API_TOKEN=#", "11{H32}"),
    ("AZURE_DEVOPS_PAT=#", "{L52}"),
    ("pagerduty_api_key: #", "u+{A18}"),
    ("Ocp-Apim-Subscription-Key: #", "{H32}"),
    ("ROLLBAR_ACCESS_TOKEN=#", "{H32}"),
    ("https://hooks.slack.com/services/#", "T{X8}/B{X8}/{A24}"),
    ("https://discord.com/api/webhooks/123456789012345678/#", "{U68}"),
    (
        "https://example.webhook.office.com/webhookb2/#",
        "{H8}-{H4}-{H4}-{H4}-{H12}@{H8}-{H4}-{H4}-{H4}-{H12}/IncomingWebhook/{H32}",
    ),
    ("git clone https://#@git.example.org/a/b", "{A40}"),
    ("https://oauth2:#@gitlab.example.org/a", "{U26}"),
    ("npm config set //registry.npmjs.org/:_authToken=#", "{H8}-{H4}-{H4}-{H4}-{H12}"),
    ("machine example.org login ana password #", "xK9!{A8}"),
    ("private_key_passphrase = '#'", "{A20}"),
    ("oauth:# for the bot", "{L30}"),
    ("ENCRYPTION_KEY=#", "{B43}="),
];

/// Tokens that something interrupts: the text, and the parts that must be replaced.
pub(super) const SPLIT_TEMPLATES: &[(&str, &str)] = &[
    ("gh¦p\\_#", "{A36}"),
    ("**gh¦p_**#", "{A36}"),
    ("gh¦p_**#**", "{A36}"),
    ("sk\\-ant\\-api03\\-#", "{A80}"),
    ("xo¦xb\\-{D}\\-#", "{A40}"),
    ("gl¦pat\\-#", "{A20}"),
    ("np¦m\\_#", "{A36}"),
    ("token gh¦p_\\\n  #", "{A36}"),
    ("hf\\_*#*", "{A34}"),
    ("do¦p\\_v1\\_#", "{H64}"),
];

/// Lines without a secret.
pub(super) const HARMLESS: &str = "\
commit {H40}
{H40} refs/heads/main
sha256:{H64}
{H64}  trueup-1.2.0.tar.gz
checksum = \"{H64}\"
\"integrity\": \"sha512-{B86}==\",
resolved \"https://registry.npmjs.org/x/-/x-1.0.0.tgz#{H40}\"
id: {H8}-{H4}-{H4}-{H4}-{H12}
session_id: {H8}-{H4}-{H4}-{H4}-{H12}
session {H8}-{H4}-{H4}-{H4}-{H12} ended
op_id={H8}-{H4}-{H4}-{H4}-{H12}
request {H8}-{H4}-{H4}-{H4}-{H12} took 12 ms
image: app@sha256:{H64}
digest: {H64}
etag: \"{H32}\"
md5 {H32}
ETag: W/\"{H16}\"
trace_id={H32} span_id={H16}
<img src=\"data:image/png;base64,iVBORw0KGgo{B60}\">
![x](data:image/gif;base64,R0lGODlhAQABAIAAAP{B40})
ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{B43} ana@host
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB{B120} ci
-----BEGIN PUBLIC KEY-----
-----BEGIN CERTIFICATE-----
public_key = \"{B43}=\"
VAPID_PUBLIC_KEY={U87}
pk_live_{A24}
publishableKey: pk_test_{A24}
fingerprint SHA256:{B43}
API_KEY=<token>
API_KEY=${TOKEN}
API_KEY=$TOKEN
password: required
password: string
password = None
password: ***
password: ********
PASSWORD=changeme
token: your-token-here
token: <paste it here>
api_key: \"YOUR_API_KEY\"
secret: ${{ secrets.DEPLOY_KEY }}
AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
Authorization: Bearer <token>
Authorization: Bearer $TOKEN
Authorization: Bearer ${GITHUB_TOKEN}
Authorization: Basic
Cookie: theme=dark; lang=en
Cookie: consent=yes
Set-Cookie: lang=de; Path=/; HttpOnly
sshpass -p \"$PASS\" ssh host
sshpass -p $SSH_PASSWORD ssh root@host
sshpass -f ~/.pass ssh host
mysql -u root -p app
mysql -p
redis-cli -h cache -p 6379 ping
docker login -u ci --password-stdin
docker run -p 8080:80 app
ssh -p 2222 ana@host
mkdir -p docs/plans
curl -u \"$USER:$PASS\" https://example.org
postgres://localhost:5432/app
postgres://user:password@localhost/app
postgres://app:${DB_PASSWORD}@db/app
redis://cache:6379/0
https://example.org:8443/a@b
git@github.com:acme/app.git
https://github.com/acme/app/commit/{H40}
https://example.org/?page=2&sort=asc
https://example.org/a?sig=none
https://example.org/callback?code=CODE
https://discord.com/api/webhooks/ID/TOKEN
https://hooks.slack.com/services/T000/B000/XXX
version 2.1.332
v1.2.3-rc.1+build.20260301
1.2.3-alpha.{D3}
2026-03-01T12:00:00.000Z
2026-03-01 12:00:00 +0100
[2026-03-01T12:00:00Z INFO trueup] started
uptime 12d 4h 33m
port 9100 and 9200
HTTP/1.1 200 OK
192.168.1.12:5432
fe80::1ff:fe23:4567:890a
00:1b:44:11:3a:b7
ISBN 978-3-16-148410-0
+49 30 1234567
UTF-8 and SHA-256
CVE-2026-12345
RFC 7519 (JWT)
SD-002B is next
feat/SD-002B-sync
CUST-WP-0026-T01
PLAN-TO-EXEC
docs/plans/2026-03-01-token-refresh.md
src/auth/token_refresh.rs:128:14
core/src/text/redact/forms.rs
tests/fixtures/hooks/session-start.startup.json
Cargo.lock
node_modules/.bin/tsc
/usr/lib/x86_64-linux-gnu/libssl.so.3
C:\\Users\\ana\\AppData\\Local\\Temp
fn refresh_token(&self) -> Result<Token, Error> {
let token = self.tokens.next()?;
const tokenExpiry = 3600;
if (password.length < 12) return false;
assert_eq!(hash_password(&salt), expected);
password = get_password_from_vault(\"db\")
api_key = os.environ[\"API_KEY\"]
secret = settings.SECRET_KEY
process.env.STRIPE_SECRET_KEY
SECRET_KEY_BASE from the vault
class PasswordResetTokenGenerator:
user.password_digest
getAccessTokenSilently()
AbstractSingletonProxyFactoryBean
XMLHttpRequestUpload
NSInvalidArgumentException
kCFStreamErrorDomainSSL
i18n.t('auth.password.reset')
max_tokens: 200000
tokens used: 88231
token_type: bearer
access_token_ttl = 900
password_min_length: 12
password_hash: $2b$12$abcdefghijklmnopqrstuv
key: value
primary key (id, seq)
foreign key (item) references work_items (key)
sort_key = created_at
cache key is user:{D6}
partition_key: tenant
the key idea is simple
keyboard shortcut ctrl+k
the secret is to write tests first
a token is a word of the language
he passed the exam
pass 2 of 3
login works again
login: done
auth: OAuth2 with PKCE
credentials are in 1Password
see the vault for the password
password rotation every 90 days
Basic auth is off
Bearer of bad news
session cookies are HttpOnly now
the cookie banner is gone
signature: verified
Signature=none
sig: ok
- [ ] 1.1 Rotate tokens (depends: 1.0)
- [x] 2.3 Password reset mail
| task | status | owner |
| T01 | done | Ana |
| tokens | 180k | of 200k |
## Phase 3: Token refresh
**Status**: 3 of 5 repos done
> quoted: the build is green
sk-learn is imported as sklearn
the npm_package_name variable
ghp_ is the prefix of such tokens
keys begin with sk-ant- and are long
xoxb- tokens are for bots
AKIA is how they begin
a pat-na1- token of HubSpot
secret_ and ntn_ are prefixes of Notion
re_sult and fw_ version
test_user_can_log_in_with_a_valid_password_and_then_log_out_again
live_reload and live_view
pa-11y and md-lint
K001 is a sensor
M. N. O. Smith
a|b and 1|2
100% of 12:AA hours
step -us1 of the list
dapi is a word
s.th. like that
nonce {H12}
seed = 42
color: #1a2b3c
width: 1280px; height: 720px
lorem ipsum dolor sit amet, consectetur adipiscing elit
Donaudampfschifffahrtsgesellschaft
Grüße an alle, bis morgen
日本語のテキスト
می\u{200c}خواهم
base64 of nothing: AA==
hex dump: de ad be ef
uuid4() makes ids
expected 42, got 41
exit code 137
pid 12345 on host ci-runner-7
ramp 10 to 100 in 5s
sha1 is broken, use sha256
ed25519 keys are short
argon2id with 64 MiB
rs256 and hs512
build {D5} of 2026-03-01
order #{D8}
invoice 2026-{D5}
commit {H7} fixes it
merge {H7}..{H7}
index {H7}..{H7} 100644";
