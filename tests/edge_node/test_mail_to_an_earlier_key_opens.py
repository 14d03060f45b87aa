"""Mail sealed to a key the node had before is opened with it; what is wrong whatever the key is said at once."""

from types import SimpleNamespace

import pytest

from edge_node.counter.counter import Counter
from wire.errors import NotForThisKey, Tampered, WrongSignature

pytestmark = pytest.mark.fast

NODE = SimpleNamespace(sealing=("newest", "earlier"))


def test_an_earlier_key_is_tried_after_the_newest():
    def opened(key):
        if key == "newest":
            raise Tampered("wrap")
        return f"opened by {key}"

    assert Counter.with_own_key(NODE, opened) == "opened by earlier"


def test_what_fits_no_key_is_refused():
    with pytest.raises(NotForThisKey):
        Counter.with_own_key(SimpleNamespace(sealing=()), str)


def test_a_wrong_signature_is_not_tried_with_another_key():
    tried = []

    def opened(key):
        tried.append(key)
        raise WrongSignature

    with pytest.raises(WrongSignature):
        Counter.with_own_key(NODE, opened)
    assert tried == ["newest"]
