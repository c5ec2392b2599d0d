#include "codec/pickle_opcode.h"

#include <cstring>
#include <string_view>

#include "codec/byte_reader.h"

namespace lanthorn {
namespace {

enum class Operand : uint8_t { kNone, kOne, kTwo, kFour, kEight, kLine, kTwoLines, kSized, kWrong };

// CPython's Lib/pickletools.py has the operands of every opcode.
Operand operand_of(uint8_t opcode) {
  switch (opcode) {
    case '.':
    case '(':
    case '0':
    case '1':
    case '2':
    case 'N':
    case 'R':
    case 'Q':
    case 'a':
    case 'b':
    case 'd':
    case '}':
    case 'e':
    case ']':
    case 'l':
    case 'o':
    case ')':
    case 's':
    case 't':
    case 'u':
    case 0x81:
    case 0x85:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8f:
    case 0x90:
    case 0x91:
    case 0x92:
    case 0x93:
    case 0x94:
    case 0x97:
    case 0x98:
      return Operand::kNone;
    case 'K':
    case 'h':
    case 'q':
    case 0x80:
    case 0x82:
      return Operand::kOne;
    case 'M':
    case 0x83:
      return Operand::kTwo;
    case 'J':
    case 'j':
    case 'r':
    case 0x84:
      return Operand::kFour;
    case 'G':
    case 0x95:
      return Operand::kEight;
    case 'I':
    case 'L':
    case 'F':
    case 'S':
    case 'V':
    case 'g':
    case 'p':
    case 'P':
      return Operand::kLine;
    case 'c':
    case 'i':
      return Operand::kTwoLines;
    case 'T':
    case 'U':
    case 'X':
    case 'B':
    case 'C':
    case 0x8a:
    case 0x8b:
    case 0x8c:
    case 0x8d:
    case 0x8e:
    case 0x96:
      return Operand::kSized;
    default:
      return Operand::kWrong;
  }
}

/// The length that stands before a text, by its opcode's width; a negative one is none.
std::optional<uint64_t> sized(std::span<const std::byte> bytes, uint64_t position, uint8_t opcode) {
  const bool wide = opcode == 0x8d || opcode == 0x8e || opcode == 0x96;
  const bool narrow = opcode == 'U' || opcode == 'C' || opcode == 0x8a || opcode == 0x8c;
  const uint64_t width = wide ? 8 : narrow ? 1 : 4;
  if (width > bytes.size() - position) return std::nullopt;
  uint64_t size = 0;
  std::memcpy(&size, bytes.data() + position, width);
  const bool is_signed = opcode == 'T' || opcode == 0x8b;
  if (is_signed && size > INT32_MAX) return std::nullopt;
  position += width;
  if (size > bytes.size() - position) return std::nullopt;
  return position + size;
}

}  // namespace

std::optional<uint64_t> pickle_opcode_end(std::span<const std::byte> bytes, uint64_t position) {
  if (position >= bytes.size()) return std::nullopt;
  const auto opcode = static_cast<uint8_t>(bytes[position++]);
  const auto fixed = [&](uint64_t size) -> std::optional<uint64_t> {
    if (size > bytes.size() - position) return std::nullopt;
    return position + size;
  };
  switch (const Operand operand = operand_of(opcode)) {
    case Operand::kNone:
      return position;
    case Operand::kOne:
      return fixed(1);
    case Operand::kTwo:
      return fixed(2);
    case Operand::kFour:
      return fixed(4);
    case Operand::kEight:
      return fixed(8);
    case Operand::kLine:
    case Operand::kTwoLines:
      for (int lines = operand == Operand::kLine ? 1 : 2; lines > 0; --lines) {
        const size_t end = as_text(bytes).find('\n', position);
        if (end == std::string_view::npos) return std::nullopt;
        position = end + 1;
      }
      return position;
    case Operand::kSized:
      return sized(bytes, position, opcode);
    case Operand::kWrong:
      break;
  }
  return std::nullopt;
}

bool pickle_opcode_pushes(uint8_t opcode) {
  // PROTO, FRAME, STOP, MARK, POP, POP_MARK, PUT and MEMOIZE, and what changes the value on top.
  constexpr std::string_view kOthers =
      "\x80\x95.(01pqr\x94"
      "aesub\x90\x98";
  return kOthers.find(static_cast<char>(opcode)) == std::string_view::npos;
}

}  // namespace lanthorn
