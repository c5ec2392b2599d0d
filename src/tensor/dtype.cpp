#include <array>

#include "lanthorn/tensor.h"

namespace lanthorn {
namespace {

enum class Group : uint8_t { kNone, kFloating, kInteger, kComplex, kOther };

struct DTypeRow {
  std::string_view name;
  uint8_t bytes;
  Group group;
};

// In the order of DType.
constexpr DTypeRow kRows[] = {
    {"undefined", 0, Group::kNone},
    {"float32", 4, Group::kFloating},
    {"float64", 8, Group::kFloating},
    {"float16", 2, Group::kFloating},
    {"bfloat16", 2, Group::kFloating},
    {"int8", 1, Group::kInteger},
    {"int16", 2, Group::kInteger},
    {"int32", 4, Group::kInteger},
    {"int64", 8, Group::kInteger},
    {"uint8", 1, Group::kInteger},
    {"uint16", 2, Group::kInteger},
    {"uint32", 4, Group::kInteger},
    {"uint64", 8, Group::kInteger},
    {"bool", 1, Group::kOther},
    {"complex32", 4, Group::kComplex},
    {"complex64", 8, Group::kComplex},
    {"complex128", 16, Group::kComplex},
    {"float8_e4m3fn", 1, Group::kFloating},
    {"float8_e4m3fnuz", 1, Group::kFloating},
    {"float8_e5m2", 1, Group::kFloating},
    {"float8_e5m2fnuz", 1, Group::kFloating},
    {"float8_e8m0fnu", 1, Group::kFloating},
    {"float6_e2m3", 1, Group::kFloating},
    {"float6_e3m2", 1, Group::kFloating},
    {"float4_e2m1", 1, Group::kFloating},
    {"int4", 1, Group::kInteger},
    {"uint4", 1, Group::kInteger},
    {"int2", 1, Group::kInteger},
    {"uint2", 1, Group::kInteger},
    {"qint8", 1, Group::kOther},
    {"quint8", 1, Group::kOther},
    {"qint32", 4, Group::kOther},
    {"quint4x2", 1, Group::kOther},
    {"quint2x4", 1, Group::kOther},
    {"bits1x8", 1, Group::kOther},
    {"bits2x4", 1, Group::kOther},
    {"bits4x2", 1, Group::kOther},
    {"bits8", 1, Group::kOther},
    {"bits16", 2, Group::kOther},
    {"string", sizeof(std::string), Group::kOther},
};
static_assert(std::size(kRows) == static_cast<size_t>(DType::kString) + 1);

const DTypeRow& row(DType dtype) { return kRows[static_cast<size_t>(dtype)]; }

}  // namespace

std::string_view dtype_name(DType dtype) { return row(dtype).name; }

DType dtype_from_name(std::string_view name) {
  for (size_t i = 1; i < std::size(kRows); ++i) {
    if (kRows[i].name == name) return static_cast<DType>(i);
  }
  if (name == "float4_e2m1fn_x2") return DType::kF4E2M1;
  return DType::kUndefined;
}

size_t dtype_bytes(DType dtype) { return row(dtype).bytes; }
bool is_floating(DType dtype) { return row(dtype).group == Group::kFloating; }
bool is_integer(DType dtype) { return row(dtype).group == Group::kInteger; }
bool is_complex(DType dtype) { return row(dtype).group == Group::kComplex; }

}  // namespace lanthorn
