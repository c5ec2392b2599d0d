// Conversions between types: https://onnx.ai/onnx/operators/onnx__Cast.html
// OPS: cast cast_like bit_cast
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "graph/onnx_dtype.h"
#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer_to(InferContext& context, DType to) {
  const DType from = context.dtype(0);
  const bool text = from == DType::kString || to == DType::kString;
  if (!text && !can_convert(from, to)) {
    return refused("there is no conversion from " + std::string(dtype_name(from)) + " to " +
                   std::string(dtype_name(to)));
  }
  context.set_output(0, to, context.dims(0));
  // Narrow integers would wrap and narrow floats round; sizes are assumed to fit what is wide.
  const bool keeps =
      to == DType::kI64 || to == DType::kI32 || to == DType::kF32 || to == DType::kF64;
  const std::optional<Dims> elements = context.elements(0);
  if (elements && keeps) context.set_elements(0, *elements);
  if (elements && to == DType::kBool) {
    Dims flags;
    for (const Dim& element : *elements) {
      const DimRange range = range_of(element);
      const bool zero = range.low && range.high && *range.low == 0 && *range.high == 0;
      const bool other = (range.low && *range.low > 0) || (range.high && *range.high < 0);
      if (!zero && !other) return ok();
      flags.push_back(other ? 1 : 0);
    }
    context.set_elements(0, std::move(flags));
  }
  return ok();
}

Status infer_cast(InferContext& context) {
  const int64_t number = context.attributes().integer("to", 0);
  const DType to = dtype_from_onnx(number);
  if (to == DType::kUndefined)
    return refused("attribute 'to' is " + std::to_string(number) + ", which is no type");
  return infer_to(context, to);
}

Status infer_cast_like(InferContext& context) { return infer_to(context, context.dtype(1)); }

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(), [](char a, char b) {
           return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
         });
}

Result<double> number_from_text(std::string_view text) {
  if (equals_ignoring_case(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (equals_ignoring_case(text, "inf") || equals_ignoring_case(text, "+inf"))
    return std::numeric_limits<double>::infinity();
  if (equals_ignoring_case(text, "-inf")) return -std::numeric_limits<double>::infinity();
  std::string_view digits = text;
  if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (code == std::errc::invalid_argument || end != digits.data() + digits.size()) {
    return Error{ErrorCode::kInvalidInput,
                 "the string \"" + std::string(text.substr(0, 40)) + "\" is no number", "", ""};
  }
  return number;
}

ConvertOptions options_of(const Attributes& attributes) {
  const std::string_view mode = attributes.text("round_mode", "up");
  return {attributes.integer("saturate", 1) != 0, mode == "down"      ? SmallRounding::kDown
                                                  : mode == "nearest" ? SmallRounding::kNearest
                                                                      : SmallRounding::kUp};
}

Status cast_from_strings(const RunContext& context, ConvertOptions options) {
  const auto from = context.input(0).as<std::string>();
  const MutableTensorView& to = context.output(0);
  for (size_t i = 0; i < from.size(); ++i) {
    std::byte* at = element_at(to.dtype, to.data, static_cast<int64_t>(i));
    int64_t whole = 0;
    const auto [end, code] =
        std::from_chars(from[i].data(), from[i].data() + from[i].size(), whole);
    if (code == std::errc() && end == from[i].data() + from[i].size() && is_integer(to.dtype)) {
      convert(DType::kI64, &whole, to.dtype, at, 1);
      continue;
    }
    LAN_TRY(const double number, number_from_text(from[i]));
    convert(DType::kF64, &number, to.dtype, at, 1, options);
  }
  return ok();
}

// The shortest text that reads back as the same number of its own type, as Python writes it.
template <class T>
std::string shortest_text(T number) {
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  return std::string(buffer, end);
}

std::string real_text(DType dtype, double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number < 0 ? "-INF" : "INF";
  if (dtype == DType::kF64) return shortest_text(number);
  return shortest_text(static_cast<float>(number));
}

Status cast_to_strings(const RunContext& context) {
  const auto to = context.output(0).as<std::string>();
  const TensorView& from = context.input(0);
  for (size_t i = 0; i < to.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (wide_kind(from.dtype) == WideKind::kReal) {
      double number = 0;
      load_wide(from, at, 1, &number, 1);
      to[i] = real_text(from.dtype, number);
    } else if (from.dtype == DType::kU64) {
      to[i] = shortest_text(from.as<uint64_t>()[i]);
    } else {
      int64_t number = 0;
      load_wide(from, at, 1, &number, 1);
      to[i] = from.dtype == DType::kBool ? (number != 0 ? "True" : "False") : shortest_text(number);
    }
  }
  return ok();
}

Status run_cast(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const ConvertOptions options = options_of(context.attributes());
  if (from.dtype == to.dtype) {
    copy_elements(from.dtype, from.data, to.data, static_cast<size_t>(from.count()));
    return ok();
  }
  if (from.dtype == DType::kString) return cast_from_strings(context, options);
  if (to.dtype == DType::kString) return cast_to_strings(context);
  convert(from.dtype, from.data, to.dtype, to.data, static_cast<size_t>(from.count()), options);
  return ok();
}

int bit_width(DType dtype) {
  switch (dtype) {
    case DType::kI4:
    case DType::kU4:
    case DType::kF4E2M1:
      return 4;
    case DType::kI2:
    case DType::kU2:
      return 2;
    case DType::kF6E2M3:
    case DType::kF6E3M2:
      return 6;
    default:
      return static_cast<int>(dtype_bytes(dtype) * 8);
  }
}

Status infer_bit_cast(InferContext& context) {
  const DType from = context.dtype(0),
              to = dtype_from_onnx(context.attributes().integer("to", 0));
  if (to == DType::kUndefined || from == DType::kString || to == DType::kString ||
      bit_width(from) != bit_width(to)) {
    return refused("the bits of " + std::string(dtype_name(from)) + " are not those of " +
                   std::string(dtype_name(to)));
  }
  context.set_output(0, to, context.dims(0));
  return ok();
}

// Signed sub-byte numbers are stored sign-extended, so their upper bits are not part of the
// pattern.
Status run_bit_cast(const RunContext& context) {
  const TensorView& from = context.input(0);
  const MutableTensorView& to = context.output(0);
  const auto count = static_cast<size_t>(from.count());
  const int bits = bit_width(to.dtype);
  if (bits >= 8) {
    copy_elements(to.dtype, from.data, to.data, count);
    return ok();
  }
  const auto unused = static_cast<unsigned>(8 - bits);
  for (size_t i = 0; i < count; ++i) {
    const auto high = static_cast<uint8_t>(static_cast<const uint8_t*>(from.data)[i] << unused);
    const bool extends = to.dtype == DType::kI4 || to.dtype == DType::kI2;
    static_cast<uint8_t*>(to.data)[i] =
        extends ? static_cast<uint8_t>(static_cast<int8_t>(high) >> unused)
                : static_cast<uint8_t>(high >> unused);
  }
  return ok();
}

}  // namespace

extern constinit const OpDef op_cast = {.name = "Cast",
                                        .since = 28,
                                        .inputs = {{"input"}},
                                        .outputs = {{"output"}},
                                        .infer = infer_cast,
                                        .reference = run_cast};
extern constinit const OpDef op_cast_like = {.name = "CastLike",
                                             .since = 25,
                                             .inputs = {{"input"}, {"target_type"}},
                                             .outputs = {{"output"}},
                                             .infer = infer_cast_like,
                                             .reference = run_cast};
extern constinit const OpDef op_bit_cast = {.name = "BitCast",
                                            .since = 26,
                                            .inputs = {{"input"}},
                                            .outputs = {{"output"}},
                                            .infer = infer_bit_cast,
                                            .reference = run_bit_cast};

}  // namespace lanthorn
