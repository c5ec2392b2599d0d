// Unique: https://onnx.ai/onnx/operators/onnx__Unique.html
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ops/elementwise.h"
#include "ops/loops.h"
#include "ops/output_memory_shared.h"
#include "ops/shape_rules.h"
#include "tensor/copy.h"

namespace lanthorn {
namespace {

Status infer(InferContext& context) {
  const Dim found = Dim::unknown();
  Dims dims{found};
  if (context.attributes().has("axis")) {
    LAN_TRY(const int64_t axis,
            normal_axis(context.attributes().integer("axis", 0), context.rank(0)));
    dims = context.dims(0);
    dims[static_cast<size_t>(axis)] = found;
  }
  context.set_output(0, context.dtype(0), std::move(dims));
  context.set_output(1, DType::kI64, Dims{found});
  context.set_output(2, DType::kI64, Dims{Dim::unknown()});
  context.set_output(3, DType::kI64, Dims{found});
  return ok();
}

// Negative, 0 or positive; NaN comes after all numbers and equals itself.
template <class T>
int order(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    if (std::isnan(a) || std::isnan(b)) return (std::isnan(a) ? 1 : 0) - (std::isnan(b) ? 1 : 0);
  }
  return a < b ? -1 : b < a ? 1 : 0;
}

// Slices along the axis, each as the elements it holds, in the widest type of their kind.
template <class T>
struct Slices {
  std::vector<T> values;
  AxisView view;

  int compare(int64_t a, int64_t b) const {
    for (int64_t outer = 0; outer < view.outer; ++outer) {
      for (int64_t inner = 0; inner < view.inner; ++inner) {
        const auto at = [&](int64_t slice) {
          return static_cast<size_t>((outer * view.size + slice) * view.inner + inner);
        };
        if (const int differs = order(values[at(a)], values[at(b)])) return differs;
      }
    }
    return 0;
  }
};

struct Found {
  std::vector<int64_t> firsts, inverse, counts;
};

template <class T>
Found find_unique(const Slices<T>& slices, bool sorted) {
  std::vector<int64_t> by_value(static_cast<size_t>(slices.view.size));
  std::iota(by_value.begin(), by_value.end(), 0);
  std::stable_sort(by_value.begin(), by_value.end(),
                   [&](int64_t a, int64_t b) { return slices.compare(a, b) < 0; });
  std::vector<std::vector<int64_t>> groups;  // equal slices, the first occurrence first
  for (const int64_t slice : by_value) {
    if (groups.empty() || slices.compare(groups.back()[0], slice) != 0) groups.emplace_back();
    groups.back().push_back(slice);
  }
  if (!sorted) {
    std::sort(groups.begin(), groups.end(),
              [](const auto& a, const auto& b) { return a[0] < b[0]; });
  }
  Found found;
  found.inverse.resize(by_value.size());
  for (size_t group = 0; group < groups.size(); ++group) {
    found.firsts.push_back(groups[group][0]);
    found.counts.push_back(static_cast<int64_t>(groups[group].size()));
    for (const int64_t slice : groups[group])
      found.inverse[static_cast<size_t>(slice)] = static_cast<int64_t>(group);
  }
  return found;
}

Found find_unique(const TensorView& from, const AxisView& view, bool sorted) {
  if (from.dtype == DType::kString) {
    const auto texts = from.as<std::string>();
    return find_unique(Slices<std::string>{{texts.begin(), texts.end()}, view}, sorted);
  }
  switch (wide_kind(from.dtype)) {
    case WideKind::kReal:
      return find_unique(Slices<double>{wide_copy<double>(from), view}, sorted);
    case WideKind::kSigned:
      return find_unique(Slices<int64_t>{wide_copy<int64_t>(from), view}, sorted);
    case WideKind::kUnsigned:
      break;
  }
  return find_unique(Slices<uint64_t>{wide_copy<uint64_t>(from), view}, sorted);
}

Status reference(const RunContext& context) {
  const TensorView& from = context.input(0);
  const bool flat = !context.attributes().has("axis");
  Shape shape = flat ? Shape{from.count()} : Shape(from.shape.begin(), from.shape.end());
  LAN_TRY(const int64_t axis, normal_axis(flat ? 0 : context.attributes().integer("axis", 0),
                                          static_cast<int64_t>(shape.size())));
  const AxisView view = view_axis(shape, axis);
  const Found found = find_unique(from, view, context.attributes().integer("sorted", 1) != 0);
  shape[static_cast<size_t>(axis)] = static_cast<int64_t>(found.firsts.size());
  uint64_t left = context.memory_left();
  LAN_TRY(Tensor to, allocate_output(from.dtype, std::move(shape), left));
  std::byte* target = to.mutable_data();
  int64_t at = 0;
  for (int64_t outer = 0; outer < view.outer; ++outer) {
    for (const int64_t slice : found.firsts) {
      copy_elements(from.dtype,
                    element_at(from.dtype, from.data, (outer * view.size + slice) * view.inner),
                    element_at(from.dtype, target, at), static_cast<size_t>(view.inner));
      at += view.inner;
    }
  }
  context.set_output_value(0, std::move(to));
  const std::vector<int64_t>* rest[] = {&found.firsts, &found.inverse, &found.counts};
  for (size_t i = 1; i < context.node().outputs.size(); ++i) {
    if (context.node().outputs[i] != kNoValue)
      context.set_output_value(i, Tensor::of_ints(*rest[i - 1]));
  }
  return ok();
}

constexpr uint64_t kTypes = kNumbers | kBoolType | kStringType;

}  // namespace

extern constinit const OpDef op_unique = {.name = "Unique",
                                          .since = 28,
                                          .inputs = {{"X", kTypes}},
                                          .outputs = {{"Y"},
                                                      {"indices", kAnyType, true},
                                                      {"inverse_indices", kAnyType, true},
                                                      {"counts", kAnyType, true}},
                                          .infer = infer,
                                          .reference = reference,
                                          .data_dependent = true};

}  // namespace lanthorn
