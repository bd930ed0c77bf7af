"""A mail server to send to: aiosmtpd with a certificate of its own. Writes what it takes as lines of JSON.

Arguments: `smtps` or `starttls`, and the file into which the certificate to trust is written. It asks for
the name `stead` and the password `post office`. It knows no mailbox that begins with `nobody`, and takes
mail for one that begins with `busy` at the second attempt.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword


class Handler:
    def __init__(self):
        self.busy = set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 5.1.1 There is no such mailbox"
        if address.startswith("busy") and address not in self.busy:
            self.busy.add(address)
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_type(): part.get_content() for part in message.walk() if not part.is_multipart()}
        say(
            {
                "to": envelope.rcpt_tos,
                "tls": server.transport.get_extra_info("ssl_object") is not None,
                "signed_in": session.authenticated,
                "headers": {name.lower(): value for name, value in message.items()},
                "parts": parts,
            }
        )
        return "250 Taken"


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"stead", b"post office")
    return AuthResult(success=good)


def say(what):
    print(json.dumps(what), flush=True)


async def main():
    kind, trust = sys.argv[1:]
    authority = trustme.CA()
    authority.cert_pem.write_to_path(trust)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    handler = Handler()

    def peer():
        starttls = kind == "starttls"
        return SMTP(
            handler,
            hostname="localhost",
            tls_context=context if starttls else None,
            require_starttls=starttls,
            authenticator=check,
            auth_required=True,
            auth_require_tls=starttls,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(peer, "127.0.0.1", 0, ssl=context if kind == "smtps" else None)
    say({"port": server.sockets[0].getsockname()[1]})
    await server.serve_forever()


asyncio.run(main())
