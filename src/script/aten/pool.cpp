// Max and average pooling with given windows.
#include <algorithm>

#include "script/aten/emit_shared.h"

namespace lanthorn::script {
namespace {

struct Window {
  std::vector<int64_t> kernel, stride, padding, dilation;
  bool ceil = false;
  size_t rank() const { return kernel.size(); }
};

/// kernel, stride (empty: the kernel) and padding at args[1..3].
Result<Window> window_of(Lowering& lowering, const Args& args, size_t rank) {
  Window window;
  LAN_TRY(window.kernel, spatial(lowering, args.ints(1), rank));
  const Dims stride = args.ints(2);
  if (stride.empty()) {
    window.stride = window.kernel;
  } else {
    LAN_TRY(window.stride, spatial(lowering, stride, rank));
  }
  LAN_TRY(window.padding, spatial(lowering, args.ints(3), rank));
  window.dilation.assign(rank, 1);
  return window;
}

std::vector<int64_t> both_ends(std::vector<int64_t> padding) {
  const size_t count = padding.size();
  for (size_t i = 0; i < count; ++i) padding.push_back(padding[i]);
  return padding;
}

Attributes pool_attributes(const Window& window) {
  return {{"kernel_shape", window.kernel},
          {"strides", window.stride},
          {"pads", both_ends(window.padding)},
          {"ceil_mode", int64_t{window.ceil}}};
}

/// Adds a batch dimension where the input has none; `batched` tells.
ValueId with_batch(Emitter& e, const TensorRef& input, size_t rank, bool& batched) {
  const ValueId x = e.read(input);
  batched = input->dims.size() == rank + 2;
  return batched ? x : e.unsqueeze(x, {0});
}

template <size_t kRank, bool kIndices>
Result<Value> max_pool(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  const TensorRef input = args.tensor(0);
  LAN_TRY(Window window, window_of(lowering, args, kRank));
  LAN_TRY(window.dilation, spatial(lowering, args.ints(4), kRank));
  window.ceil = args.flag(5);
  bool batched = true;
  const ValueId x = with_batch(e, input, kRank, batched);
  Attributes attributes = pool_attributes(window);
  attributes.set("dilations", window.dilation);
  auto made = e.ops("MaxPool", {x}, kIndices ? 2 : 1, std::move(attributes));
  if constexpr (kIndices) {
    // ONNX counts through the whole tensor, PyTorch through one plane.
    const Dims plane(input->dims.end() - kRank, input->dims.end());
    made[1] = e.op("Mod", {made[1], e.shape({product(plane)})});
  }
  for (ValueId& value : made) {
    if (!batched) value = e.squeeze(value, {0});
  }
  if constexpr (kIndices) return e.tuple(made);
  return e.result(made[0]);
}

/// The number of windows along one axis as PyTorch counts them.
int64_t window_count(const Window& w, size_t i, int64_t size) {
  const int64_t room = size + 2 * w.padding[i] - w.kernel[i];
  if (room < 0) return 0;
  int64_t count = room / w.stride[i] + 1;
  if (w.ceil && room % w.stride[i] != 0 && count * w.stride[i] < size + w.padding[i]) ++count;
  return count;
}

ValueId padded(Emitter& e, ValueId x, const std::vector<int64_t>& before, const std::vector<int64_t>& after) {
  std::vector<int64_t> pads(2, 0);
  pads.insert(pads.end(), before.begin(), before.end());
  pads.insert(pads.end(), 2, 0);
  pads.insert(pads.end(), after.begin(), after.end());
  return e.op("Pad", {x, e.ints(std::move(pads))});
}

/// Pads with zeros by hand, so that windows that hang over the padded end are cut there, as PyTorch
/// cuts them; what ONNX divides by in this case has changed over time.
Result<ValueId> average_over_padding(Emitter& e, ValueId x, Window window, bool whole_windows) {
  const Dims dims = e.dims(x);
  if (e.failed()) return e.error();
  const size_t rank = window.rank();
  LAN_TRY(const auto sizes, e.lowering().concrete(std::span(dims).last(rank)));
  std::vector<int64_t> after = window.padding;
  bool cut = false;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t end = (window_count(window, i, sizes[i]) - 1) * window.stride[i] + window.kernel[i];
    const int64_t overhang = end - (sizes[i] + 2 * window.padding[i]);
    if (overhang > 0 && !whole_windows) cut = true;
    // Windows are exactly counted: cut padding that would begin one more, extend what is whole.
    if (overhang < 0 || whole_windows) after[i] += overhang;
  }
  for (size_t i = 0; i < rank; ++i) after[i] = std::max(after[i], -sizes[i]);
  x = padded(e, x, window.padding, after);
  window.padding.assign(rank, 0);
  window.ceil = cut;
  return e.op("AveragePool", {x}, pool_attributes(window));
}

template <size_t kRank, bool kDivisor>
Result<Value> avg_pool(Lowering& lowering, const Args& args) {
  Emitter e(lowering);
  LAN_TRY(Window window, window_of(lowering, args, kRank));
  window.ceil = args.flag(4);
  const bool count_padding = args.flag(5);
  bool batched = true;
  ValueId x = with_batch(e, args.tensor(0), kRank, batched);
  const bool pads = std::any_of(window.padding.begin(), window.padding.end(), [](int64_t p) { return p != 0; });
  std::optional<int64_t> divisor;
  if constexpr (kDivisor) {
    if (!args.is_none(6)) {
      LAN_TRY(divisor, lowering.concrete(args.integer(6)));
    }
  }
  ValueId y = kNoValue;
  if (window.ceil && (divisor || (pads && count_padding))) {
    LAN_TRY(y, average_over_padding(e, x, window, divisor.has_value()));
  } else {
    Attributes attributes = pool_attributes(window);
    attributes.set("count_include_pad", int64_t{divisor.has_value() || (count_padding && pads)});
    y = e.op("AveragePool", {x}, std::move(attributes));
  }
  if (divisor) {
    int64_t area = 1;
    for (const int64_t size : window.kernel) area *= size;
    y = e.op("Mul", {y, e.number(static_cast<double>(area) / static_cast<double>(*divisor), e.dtype(y))});
  }
  if (!batched) y = e.squeeze(y, {0});
  return e.result(y);
}

constexpr AtenRow kRows[] = {
    {"aten::max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], int[1] "
     "dilation=[1], bool ceil_mode=False) -> Tensor",
     max_pool<1, false>},
    {"aten::max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] "
     "dilation=1, bool ceil_mode=False) -> Tensor",
     max_pool<2, false>},
    {"aten::max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] "
     "dilation=1, bool ceil_mode=False) -> Tensor",
     max_pool<3, false>},
    {"aten::max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], "
     "int[1] dilation=[1], bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<1, true>},
    {"aten::max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, "
     "int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<2, true>},
    {"aten::max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, "
     "int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
     max_pool<3, true>},
    {"aten::avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=[0], bool "
     "ceil_mode=False, bool count_include_pad=True) -> Tensor",
     avg_pool<1, false>},
    {"aten::avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool "
     "ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool<2, true>},
    {"aten::avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool "
     "ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
     avg_pool<3, true>},
};

}  // namespace

extern const std::span<const AtenRow> aten_pool = kRows;

}  // namespace lanthorn::script
