#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace lanthorn {

/// Where the opcode at `position` ends, operands and all; nothing where there is no such opcode or
/// the bytes end before it does, which is where every reader of pickles must stop.
std::optional<uint64_t> pickle_opcode_end(std::span<const std::byte> bytes, uint64_t position);

/// Whether the opcode leaves one value more on the stack than was there, or puts one in the place
/// of what it takes.
bool pickle_opcode_pushes(uint8_t opcode);

}  // namespace lanthorn
