"""A server of files for tests: pyftpdlib on a free port of 127.0.0.1, with TLS when a certificate is named.

Arguments: folder, user, password, "well", "dies" or "hangs" for what it does when a file comes, and for TLS a PEM file with
certificate and key. Prints "ready PORT".
"""

import os
import sys
import time

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

folder, user, password, behaves = sys.argv[1:5]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, folder, perm="elradfmw")


def misbehave():
    if behaves == "dies":
        os._exit(1)
    time.sleep(3600)


class Transfer(DTPHandler):
    def recv(self, size):
        misbehave()


class SecretTransfer(TLS_DTPHandler):
    def recv(self, size):
        misbehave()


if len(sys.argv) > 5:
    handler = TLS_FTPHandler
    handler.certfile = sys.argv[5]
    handler.tls_control_required = True
    handler.tls_data_required = True
else:
    handler = FTPHandler
if behaves != "well":
    handler.dtp_handler = SecretTransfer if len(sys.argv) > 5 else Transfer
handler.authorizer = authorizer
handler.auth_failed_timeout = 0

server = FTPServer(("127.0.0.1", 0), handler)
print("ready", server.socket.getsockname()[1], flush=True)
server.serve_forever()
