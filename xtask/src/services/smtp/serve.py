"""Mail servers that take logins and no mail, for the tests of nora-provider-smtp.

Prints one line, the value of NORA_TEST_SMTP_URL, and serves until its standard input ends: it cannot outlive whoever
started it. The URL's own port wants STARTTLS; its query names the other ports and the certificate of the authority.
"""

import asyncio
import logging
import secrets
import ssl
import sys
import warnings
from urllib.parse import urlencode

import trustme
from aiosmtpd.smtp import SMTP, AuthResult

HOST = "smtp.example.com"
USER = "ada"

# It warns of a login without TLS, which is what some of the tests are about.
logging.disable()
warnings.simplefilter("ignore")


class Nothing:
    async def handle_MAIL(self, server, session, envelope, address, options):
        return "550 5.7.1 No mail is taken here"


def authenticator(password):
    expected = (USER.encode(), password.encode())

    def authenticate(server, session, envelope, mechanism, given):
        return AuthResult(success=(given.login, given.password) == expected, handled=False)

    return authenticate


async def listen(password, tls=None, **options):
    def protocol():
        return SMTP(Nothing(), hostname=HOST, auth_required=True, authenticator=authenticator(password), **options)

    server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, ssl=tls)
    return server.sockets[0].getsockname()[1]


async def main():
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(HOST).configure_cert(tls)
    password = secrets.token_hex(24)
    port = await listen(password, tls_context=tls)
    others = {
        "tls": await listen(password, tls=tls, auth_require_tls=False),
        "plain": await listen(password, auth_require_tls=False),
        "login": await listen(password, auth_require_tls=False, auth_exclude_mechanism=["PLAIN"]),
        "authority": authority.cert_pem.bytes().decode(),
    }
    print(f"smtp://{USER}:{password}@127.0.0.1:{port}/?{urlencode(others)}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
