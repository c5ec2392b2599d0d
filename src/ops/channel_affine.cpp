// Y = activation(X * scale + shift), with one scale and one shift per place on the last axis: what is
// left of a batch normalization that no convolution takes.
#include <cmath>
#include <vector>

#include "ops/op.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  for (size_t i = 1; i < 3; ++i) {
    LAN_OK(require_rank(context, i, 1, 1));
    const Dim& size = context.dims(i)[0];
    const Dim& wanted = context.dims(0).back();
    if (size.is_known() && wanted.is_known() && !(size == wanted)) {
      return refused("scale and shift need " + wanted.text() + " elements, not " + size.text());
    }
  }
  context.set_output(0, context.dtype(0), context.dims(0));
  return ok();
}

double activated(std::string_view activation, double x) {
  if (activation == "Relu") return std::isnan(x) || x > 0 ? x : 0;
  return x;
}

Status reference(const RunContext& context) {
  const auto x = context.input(0).as<float>(), scale = context.input(1).as<float>(), shift = context.input(2).as<float>();
  const auto y = context.output(0).as<float>();
  const std::string_view activation = context.attributes().text("activation", "");
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t c = i % scale.size();
    y[i] = static_cast<float>(activated(activation, static_cast<double>(x[i]) * scale[c] + shift[c]));
  }
  return ok();
}

constexpr uint64_t kF32Only = type_bit(DType::kF32);

}  // namespace

extern constinit const OpDef op_channel_affine{
    .name = "ChannelAffine",
    .domain = "lanthorn",
    .inputs = {{"X", kF32Only}, {"scale", kF32Only}, {"shift", kF32Only}},
    .outputs = {{"Y"}},
    .accuracy = Accuracy::kRounding,
    .infer = infer,
    .reference = reference};

}  // namespace lanthorn
