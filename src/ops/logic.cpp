// Logic and bits of two numbers with broadcasting: https://onnx.ai/onnx/operators/
// OPS: and bit_shift bitwise_and bitwise_or bitwise_xor or xor
#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

constexpr uint64_t kIntegers = kSignedInts | kUnsignedInts;

using DimFunction = Dim (*)(const Dim&, const Dim&);

template <DimFunction function>
Status infer(InferContext& context) {
  LAN_OK(infer_broadcast(context));
  propagate(context, function);
  return ok();
}

Dim dim_and(const Dim& a, const Dim& b) { return a * b; }
Dim dim_or(const Dim& a, const Dim& b) { return a + b - a * b; }
Dim dim_xor(const Dim& a, const Dim& b) { return a + b - 2 * (a * b); }

Status infer_shift(InferContext& context) {
  const std::string_view direction = context.attributes().text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") {
    return refused("the direction is \"" + std::string(direction) + "\", not LEFT or RIGHT");
  }
  return infer_broadcast(context);
}

Status run_and(const RunContext& context) {
  return map_integers<2>(context, [](auto a, auto b) { return a & b; });
}
Status run_or(const RunContext& context) {
  return map_integers<2>(context, [](auto a, auto b) { return a | b; });
}
Status run_xor(const RunContext& context) {
  return map_integers<2>(context, [](auto a, auto b) { return a ^ b; });
}

Status run_shift(const RunContext& context) {
  const bool left = context.attributes().text("direction", "") == "LEFT";
  const auto bits = static_cast<int64_t>(dtype_bytes(context.input(0).dtype) * 8);
  return map_integers<2>(context, [=](auto x, auto by) {
    using W = decltype(x);
    const bool beyond = by < 0 || static_cast<uint64_t>(by) >= static_cast<uint64_t>(bits);
    if (beyond) return static_cast<W>(!left && x < 0 ? -1 : 0);
    return left ? static_cast<W>(static_cast<uint64_t>(x) << by) : static_cast<W>(x >> by);
  });
}

consteval OpDef binary(std::string_view name, int since, uint64_t types,
                       Status (*rule)(InferContext&), Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = since,
          .inputs = {{"A", types}, {"B", types}},
          .outputs = {{"C"}},
          .infer = rule,
          .reference = run};
}

}  // namespace

extern constinit const OpDef op_and = binary("And", 7, kBoolType, infer<dim_and>, run_and);
extern constinit const OpDef op_or = binary("Or", 7, kBoolType, infer<dim_or>, run_or);
extern constinit const OpDef op_xor = binary("Xor", 7, kBoolType, infer<dim_xor>, run_xor);
extern constinit const OpDef op_bitwise_and =
    binary("BitwiseAnd", 18, kIntegers, infer_broadcast, run_and);
extern constinit const OpDef op_bitwise_or =
    binary("BitwiseOr", 18, kIntegers, infer_broadcast, run_or);
extern constinit const OpDef op_bitwise_xor =
    binary("BitwiseXor", 18, kIntegers, infer_broadcast, run_xor);
extern constinit const OpDef op_bit_shift =
    binary("BitShift", 28, kIntegers, infer_shift, run_shift);

}  // namespace lanthorn
