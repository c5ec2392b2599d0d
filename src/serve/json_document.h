#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_text.h"

namespace lanthorn {

/// A JSON text, parsed as Python's json module does it: NaN and Infinity are numbers, the last of
/// equal keys counts, and a mistake is reported with Python's words and place, since that is what
/// clients of FastAPI programs see. Nodes point into the text, which must outlive the document.
class JsonDocument {
 public:
  enum class Kind : uint8_t { kNull, kTrue, kFalse, kInteger, kReal, kNonFinite, kString, kArray, kObject };
  struct Node {
    Kind kind = Kind::kNull;
    bool odd = false;               // holds something that strict JSON cannot say (NaN, lone surrogate)
    uint32_t begin = 0, end = 0;    // bytes of the text
    uint32_t first = 0, next = 0;   // children; 0 is none
    uint32_t key = 0;               // of a member: the node of its name
    uint32_t count = 0;             // children
  };
  struct Mistake {
    std::string message;            // "Expecting value"
    size_t position = 0;            // in code points
  };

  static constexpr size_t kMaxNodes = 4'000'000;
  static constexpr int kMaxDepth = 512;

  /// Parses the whole text; at most kMaxNodes values, nested kMaxDepth deep.
  explicit JsonDocument(std::string_view text);

  const std::optional<Mistake>& mistake() const { return mistake_; }
  const Node& root() const { return nodes_[root_]; }
  const Node& node(uint32_t i) const { return nodes_[i]; }
  std::string_view source(const Node& node) const { return text_.substr(node.begin, node.end - node.begin); }
  /// The member of an object, or null.
  const Node* member(const Node& object, std::string_view name) const;
  /// A number as double (integers of any length too).
  double number(const Node& node) const;
  /// A string without its escapes, as UTF-8; lone surrogates become U+FFFD.
  std::string text(const Node& node) const;
  /// The value as strict JSON.
  void write(const Node& node, std::string& out) const;

 private:
  friend class JsonParser;
  std::string_view text_;
  std::vector<Node> nodes_;
  uint32_t root_ = 0;
  std::optional<Mistake> mistake_;
};

}  // namespace lanthorn
