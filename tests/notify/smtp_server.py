"""A real SMTP server (aiosmtpd) on 127.0.0.1 that keeps each mail as a file.

smtp_server.py DIRECTORY PORT MODE [CERTIFICATE KEY]
MODE: plain, starttls (asked for, with user ops and password "s3cret pass"), smtps. Recipients that begin with
"nobody" are refused with 550, "later" with 451. Mails are DIRECTORY/N.eml, envelopes DIRECTORY/N.to.
"""
import pathlib
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

directory, port, mode = pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]


class Keep:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("nobody"):
            return "550 no such user"
        if address.startswith("later"):
            return "451 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        Keep.count += 1
        (directory / f"{Keep.count}.to").write_text(
            envelope.mail_from + " " + " ".join(envelope.rcpt_tos) + (" tls" if session.ssl else ""))
        part = directory / f"{Keep.count}.part"
        part.write_bytes(envelope.original_content)
        part.rename(directory / f"{Keep.count}.eml")
        return "250 kept"


def known(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"ops", b"s3cret pass")
    return AuthResult(success=good, handled=False)  # "handled" would mean that it was answered already


options = {}
if mode != "plain":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[4], sys.argv[5])
    if mode == "smtps":
        options = {"ssl_context": context}
    else:
        options = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": known}
controller = Controller(Keep(), hostname="127.0.0.1", port=port, **options)
controller.start()
threading.Event().wait()
