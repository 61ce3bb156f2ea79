"""A server of files for tests: asyncssh on a free port of 127.0.0.1.

Arguments: folder, user, password, "password" or "questions" for how it asks for the password, and "well", "dies" or "hangs"
for what it does when a file comes.
Prints "ready PORT FINGERPRINT-OF-THE-HOST-KEY".
"""

import asyncio
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")

import asyncssh  # noqa: E402

folder, user, password, asks, behaves = sys.argv[1:6]


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


class Files(asyncssh.SFTPServer):
    def write(self, file_obj, offset, data):
        if behaves == "dies":
            os._exit(1)
        if behaves == "hangs":
            time.sleep(3600)
        return super().write(file_obj, offset, data)


def files(channel):
    return Files(channel, chroot=folder)


async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Door, server_host_keys=[key], sftp_factory=files
    )
    print("ready", server.sockets[0].getsockname()[1], key.get_fingerprint(), flush=True)
    await server.wait_closed()


asyncio.run(main())
