"""A server of files for tests: pyftpdlib on a free port of 127.0.0.1, with TLS when a certificate is named.

Arguments: folder, user, password, and for TLS a PEM file with certificate and key. Prints "ready PORT".
"""

import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

folder, user, password = sys.argv[1:4]
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, folder, perm="elradfmw")

if len(sys.argv) > 4:
    handler = TLS_FTPHandler
    handler.certfile = sys.argv[4]
    handler.tls_control_required = True
    handler.tls_data_required = True
else:
    handler = FTPHandler
handler.authorizer = authorizer
handler.auth_failed_timeout = 0

server = FTPServer(("127.0.0.1", 0), handler)
print("ready", server.socket.getsockname()[1], flush=True)
server.serve_forever()
