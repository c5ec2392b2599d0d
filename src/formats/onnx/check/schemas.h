#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lanthorn::onnx {

/// A set of the types that ONNX writes as "tensor(float)" or "seq(tensor(int64))".
class TypeSet {
 public:
  /// From the hexadecimal digits of the table.
  static TypeSet parse(std::string_view hexadecimal);
  bool has(std::string_view type) const;
  /// The only type in it; nothing where there are others.
  std::optional<std::string_view> only() const;

 private:
  std::array<uint64_t, 2> bits_{};
};

/// What ONNX says of one operator at one opset.
struct Schema {
  enum class Port : uint8_t { kSingle, kOptional, kVariadic };
  struct Formal {
    std::string_view variable;  // of its type; empty where the type is fixed
    TypeSet types;
    Port port = Port::kSingle;
    size_t least = 1;       // of a variadic one
    bool same_type = true;  // all that are given to a variadic one
  };
  struct Attribute {
    std::string_view name;
    int32_t type = 0;  // AttributeType
    bool required = false;
  };
  int since = 1;
  bool deprecated = false;
  std::vector<Formal> inputs, outputs;
  std::vector<Attribute> attributes;

  const Attribute* find(std::string_view name) const;
};
/// How many inputs or outputs may be given; `most` is SIZE_MAX with a variadic one.
struct Arity {
  size_t least = 0, most = 0;
};
Arity arity_of(const std::vector<Schema::Formal>& formals);

/// The newest schema of an operator that is not newer than `version`; nothing if there is none.
/// The domain of ai.onnx is "".
std::optional<Schema> find_schema(std::string_view domain, std::string_view op, int64_t version);

}  // namespace lanthorn::onnx
