#include "formats/torch/pickled_bytes.h"

#include "codec/mapped_file.h"

namespace lanthorn {
namespace {

using Kind = PickleNode::Kind;

bool makes_bytes(std::string_view callee) {
  return callee == "__builtin__.bytes" || callee == "builtins.bytes" ||
         callee == "__builtin__.bytearray" || callee == "builtins.bytearray";
}

/// Nothing where a character is none of Latin-1.
std::optional<std::string> as_latin1(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      bytes += text[i];
    } else if (lead <= 0xc3 && i + 1 < text.size()) {
      // U+0080 to U+00FF are two bytes in UTF-8: 110000xx 10xxxxxx.
      bytes += static_cast<char>((lead & 3) << 6 | (text[++i] & 0x3f));
    } else {
      return std::nullopt;
    }
  }
  return bytes;
}

}  // namespace

std::string_view callee_name(const PickleTree& tree, PickleId call) {
  const PickleNode& node = tree[call];
  if (node.kind != Kind::kCall || tree[node.callee].kind != Kind::kGlobal) return {};
  return tree[node.callee].text;
}

std::optional<std::string> bytes_of_text(const PickleTree& tree, PickleId call) {
  const std::string_view name = callee_name(tree, call);
  if (name != "_codecs.encode" && !makes_bytes(name)) return std::nullopt;
  const auto& arguments = tree[tree[call].arguments].items;
  if (arguments.size() != 2 || tree[arguments[0]].kind != Kind::kString) return std::nullopt;
  const std::string& encoding = tree[arguments[1]].text;
  if (encoding != "latin1" && encoding != "latin-1") return std::nullopt;
  return as_latin1(tree[arguments[0]].text);
}

std::optional<PickledBytes> pickled_bytes(const PickleTree& tree, PickleId id,
                                          const std::shared_ptr<const void>& owner) {
  if (auto text = bytes_of_text(tree, id)) {
    const auto made = std::make_shared<const std::string>(*std::move(text));
    return PickledBytes{std::as_bytes(std::span(*made)), made};
  }
  const PickleNode& node = tree[id];
  if (makes_bytes(callee_name(tree, id))) {
    const auto& arguments = tree[node.arguments].items;
    if (arguments.empty()) return PickledBytes{{}, nullptr};
    // Of bytes, or of the call that stands for bytes: no call of a call of a call.
    const bool nested = makes_bytes(callee_name(tree, arguments[0]));
    if (arguments.size() > 1 || nested) return std::nullopt;
    return pickled_bytes(tree, arguments[0], owner);
  }
  // Python 2's bytes are read as text where they are UTF-8.
  if (node.kind == Kind::kBytes || node.kind == Kind::kByteArray || node.kind == Kind::kString) {
    if (!node.view.empty()) return PickledBytes{node.view, owner};
    const auto copy = MappedFile::of(node.bytes());
    return PickledBytes{copy->bytes(), copy};
  }
  return std::nullopt;
}

}  // namespace lanthorn
