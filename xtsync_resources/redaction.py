"""What is shown nowhere, whoever says it: tokens, by their form, and the secrets this process knows, by their value.

A server may send back what it was sent, and a library may quote it in an error: whole, or escaped as in an address.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator

# A shorter one would be found in words that are none.
SHORTEST_SECRET = 8
MASK = "***"
# A longer one is found as it is written only: one with each of its characters escaped would take seconds to look for.
LONGEST_ESCAPED = 4 * 1024
# Signed, or encrypted, which has more and empty parts. One begins anywhere in a word that has two more parts behind it;
# without such, the word is passed over at once, or a long one would be searched once for each of its characters.
TOKEN = re.compile(
    r"(?<![\w-])(?=[\w-]++(?:(?:\.|%2[Ee])[\w-]*+){2})"
    r"([\w-]*?)(?:eyJ[\w-]+|(?:eyA|ewo|ew0)[\w-]{10,})(?:(?:\.|%2[Ee])[\w-]*){2,}"
)
# Secrets by the names of their variables: ours, those of a pipeline and of a machine's identity, and Pulumi's.
VARIABLE = re.compile(
    r"XTSYNC_(SOURCE|TARGET)_(CLIENT_SECRET|CERTIFICATE_PASSWORD)|ARM_(CLIENT_SECRET|CLIENT_CERTIFICATE_PASSWORD)|"
    r"ACTIONS_ID_TOKEN_REQUEST_TOKEN|SYSTEM_ACCESSTOKEN|IDENTITY_HEADER|MSI_SECRET|"
    r"PULUMI_ACCESS_TOKEN|PULUMI_CONFIG_PASSPHRASE"
)

_known: set[str] = set()


def know(secret: str) -> str:
    """Note a secret, and give it back."""
    _known.add(secret.strip())
    return secret


def redacted(text: str) -> str:
    """A text with a word in the place of each token and each secret that is known."""
    text = TOKEN.sub(r"\1[a token]", text)
    for secret in sorted({*_known, *in_environment()}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, MASK)
            # No escape is shorter than its character.
            if len(secret) <= min(LONGEST_ESCAPED, len(text)) and ("%" in text or "\\" in text or "&" in text):
                text = escaped(secret).sub(MASK, text)
    return text


def in_environment() -> Iterator[str]:
    """The secrets that this process's environment holds."""
    return (value.strip() for name, value in os.environ.items() if VARIABLE.fullmatch(name))


@functools.lru_cache(maxsize=64)
def escaped(secret: str) -> re.Pattern[str]:
    """A secret with any of its characters escaped: as in an address, in JSON, or in HTML."""
    return re.compile("".join(map(escapes_of, secret)))


# The five that HTML and XML have in common; `html.escape` writes the last by number.
NAMES_IN_HTML = {"&": ("amp",), "<": ("lt",), ">": ("gt",), '"': ("quot",), "'": ("apos",)}


def escapes_of(character: str) -> str:
    """A character as it is, and its escapes."""
    in_address = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "replace"))
    in_json = "".join(f"\\\\u{part:04x}" for part in halves_of(character))
    ways = [in_address, in_json, f"&#0*{ord(character)};", f"&#x0*{ord(character):x};"]
    ways += [f"&{name};" for name in NAMES_IN_HTML.get(character, ())]
    ways += [r"\+"] if character == " " else []
    ways += [r"\\" + re.escape(character)] if character in "\"\\/'" else []
    return f"(?:{re.escape(character)}|(?i:{'|'.join(ways)}))"


def halves_of(character: str) -> Iterator[int]:
    """What JSON writes a character as: itself, or two halves."""
    units = character.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2))
