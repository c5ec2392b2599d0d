#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "script/value.h"

namespace lanthorn::script {

struct SchemaType {
  enum class Kind : uint8_t {
    kTensor,
    kInt,
    kFloat,
    kComplex,
    kBool,
    kNumber,
    kString,
    kDevice,
    kScalarType,  // an int that must name a dtype
    kVariable,    // t, tVal: any type
    kAny,         // Any, AnyList, classes, generators, futures
    kNone,
    kList,
    kDict,
    kTuple,
  };
  Kind kind = Kind::kAny;
  bool optional = false;
  int64_t fixed_size = 0;        // int[2]: one int stands for two
  std::vector<SchemaType> args;  // kList: 1, kDict: 2, kTuple: any
};

struct SchemaArgument {
  std::string name;
  SchemaType type;
  bool keyword_only = false;
  bool has_default = false;
  Value fallback;
};

/// A schema as PyTorch writes it: "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1)
/// -> Tensor".
struct Schema {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor"
  std::vector<SchemaArgument> arguments;
  bool variadic = false;  // "...": any further arguments
  std::string text;
};

/// kInternal with the place in the text where it is no schema: they are our own tables.
Result<Schema> parse_schema(std::string_view text);

}  // namespace lanthorn::script
