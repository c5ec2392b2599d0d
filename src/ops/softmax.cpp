// Softmax and its kin along one axis: https://onnx.ai/onnx/operators/onnx__Softmax.html
// OPS: hardmax log_softmax softmax
#include <cmath>
#include <limits>

#include "ops/elementwise.h"
#include "ops/shape_rules.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  LAN_OK(require_rank(context, 0, 1));
  LAN_TRY([[maybe_unused]] const int64_t axis,
          normal_axis(context.attributes().integer("axis", -1), context.rank(0)));
  context.set_output(0, context.input(0));
  return ok();
}

using Line = std::span<double>;

double largest_of(Line line) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const double x : line) largest = std::isnan(largest) || largest >= x ? largest : x;
  return largest;
}

void softmax(Line line) {
  const double largest = largest_of(line);
  double sum = 0;
  for (double& x : line) sum += x = std::exp(x - largest);
  for (double& x : line) x /= sum;
}

void log_softmax(Line line) {
  const double largest = largest_of(line);
  double sum = 0;
  for (const double x : line) sum += std::exp(x - largest);
  for (double& x : line) x = x - largest - std::log(sum);
}

void hardmax(Line line) {
  size_t best = 0;
  for (size_t i = 1; i < line.size(); ++i) best = line[i] > line[best] ? i : best;
  for (size_t i = 0; i < line.size(); ++i) line[i] = i == best ? 1.0 : 0.0;
}

template <void (*function)(Line)>
Status reference(const RunContext& context) {
  const auto rank = static_cast<int64_t>(context.input(0).rank());
  LAN_TRY(const int64_t axis, normal_axis(context.attributes().integer("axis", -1), rank));
  const AxisView view = view_axis(context.input(0).shape, axis);
  if (context.input(0).count() == 0) return ok();
  std::vector<double> values = wide_copy<double>(context.input(0));
  std::vector<double> line(static_cast<size_t>(view.size));
  for (int64_t i = 0; i < view.outer * view.inner; ++i) {
    double* first = values.data() + i / view.inner * view.size * view.inner + i % view.inner;
    for (size_t k = 0; k < line.size(); ++k) line[k] = first[static_cast<int64_t>(k) * view.inner];
    function(line);
    for (size_t k = 0; k < line.size(); ++k) first[static_cast<int64_t>(k) * view.inner] = line[k];
  }
  store_wide(values.data(), context.output(0), 0, values.size());
  return ok();
}

consteval OpDef along_axis(std::string_view name, Accuracy accuracy,
                           Status (*run)(const RunContext&)) {
  return {.name = name,
          .since = 13,
          .inputs = {{"input", kFloats}},
          .outputs = {{"output"}},
          .accuracy = accuracy,
          .infer = infer,
          .reference = run};
}

}  // namespace

extern constinit const OpDef op_hardmax =
    along_axis("Hardmax", Accuracy::kExact, reference<hardmax>);
extern constinit const OpDef op_log_softmax =
    along_axis("LogSoftmax", Accuracy::kRounding, reference<log_softmax>);
extern constinit const OpDef op_softmax =
    along_axis("Softmax", Accuracy::kRounding, reference<softmax>);

}  // namespace lanthorn
