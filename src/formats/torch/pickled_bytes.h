#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/pickle.h"

namespace lanthorn {

/// The global's name of a call; empty if it calls something else.
std::string_view callee_name(const PickleTree& tree, PickleId call);

/// What a call makes of a text in Latin-1, as protocols below 3 hold bytes:
/// `_codecs.encode(text, 'latin1')`, and before Python 3.8 `bytearray(text, 'latin-1')`. Nothing
/// for all else.
std::optional<std::string> bytes_of_text(const PickleTree& tree, PickleId call);

/// The bytes that a value of a pickle stands for: bytes, a bytearray, such a call, or a bytearray
/// of one of these. Kept by `owner` or by the result itself.
struct PickledBytes {
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;
};
std::optional<PickledBytes> pickled_bytes(const PickleTree& tree, PickleId id,
                                          const std::shared_ptr<const void>& owner);

}  // namespace lanthorn
