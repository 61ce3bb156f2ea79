"""A server of files for tests: asyncssh on a free port of 127.0.0.1.

Arguments: folder, user, password, and "password" or "questions" for how it asks for the password.
Prints "ready PORT FINGERPRINT-OF-THE-HOST-KEY".
"""

import asyncio
import sys
import warnings

warnings.filterwarnings("ignore")

import asyncssh  # noqa: E402

folder, user, password, asks = sys.argv[1:5]


class Door(asyncssh.SSHServer):
    def begin_auth(self, username):
        return True

    def password_auth_supported(self):
        return asks == "password"

    def validate_password(self, username, given):
        return (username, given) == (user, password)

    def kbdint_auth_supported(self):
        return asks == "questions"

    def get_kbdint_challenge(self, username, lang, submethods):
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username, responses):
        return (username, list(responses)) == (user, [password])


def files(channel):
    return asyncssh.SFTPServer(channel, chroot=folder)


async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[key], sftp_factory=files
    )
    print("ready", server.sockets[0].getsockname()[1], key.get_fingerprint(), flush=True)
    await server.wait_closed()


asyncio.run(main())
