// Pooling of NHWC images.
// FAST: max_pool_nhwc average_pool_nhwc
#include <algorithm>
#include <array>
#include <limits>
#include <tuple>

#include "ops/fast_shared.h"

namespace lanthorn {
namespace {

// Taps of one window; their pointers lie on the stack.
constexpr size_t kMaxTaps = 256;

struct PreparedPool {
  const KernelTable* table = nullptr;
  std::array<size_t, 2> kernel = {}, stride = {}, dilation = {}, pad = {}, pad_end = {};
  PadRule pad_rule;
  bool average = false, count_padding = false;
};

std::array<size_t, 2> pair_of(const std::vector<int64_t>& values, size_t first = 0) {
  return {static_cast<size_t>(values[first]), static_cast<size_t>(values[first + 1])};
}

bool applies(const KernelQuery& query) {
  if (!all_float32(query) || query.inputs[0].dims.size() != 4 || query.outputs.size() != 1) {
    return false;
  }
  const Attributes& attributes = query.node.attributes;
  const std::vector<int64_t> kernel = attributes.ints("kernel_shape");
  if (kernel.size() != 2 || kernel[0] < 1 || kernel[1] < 1) return false;
  for (const int64_t pad : attributes.ints("pads", {0, 0, 0, 0})) {
    if (pad < 0) return false;
  }
  return attributes.ints("strides", {1, 1}).size() == 2 &&
         attributes.ints("dilations", {1, 1}).size() == 2 &&
         attributes.ints("pads", {0, 0, 0, 0}).size() == 4;
}

bool small_window(const KernelQuery& query) {
  if (!applies(query)) return false;
  const std::vector<int64_t> kernel = query.node.attributes.ints("kernel_shape");
  return kernel[0] * kernel[1] <= static_cast<int64_t>(kMaxTaps);
}

// The window is the whole image: a mean down the columns of [pixels][channels].
bool whole_image(const KernelQuery& query) {
  if (!applies(query)) return false;
  const Attributes& attributes = query.node.attributes;
  const std::vector<int64_t> kernel = attributes.ints("kernel_shape");
  for (const int64_t pad : attributes.ints("pads", {0, 0, 0, 0})) {
    if (pad != 0) return false;
  }
  for (const int64_t dilation : attributes.ints("dilations", {1, 1})) {
    if (dilation != 1) return false;
  }
  return kernel[0] == query.dim(0, 1) && kernel[1] == query.dim(0, 2) &&
         query.outputs[0].dims[1].value() == 1 && query.outputs[0].dims[2].value() == 1;
}

Result<std::shared_ptr<const void>> prepare(const KernelQuery& query) {
  const Attributes& attributes = query.node.attributes;
  auto prepared = std::make_shared<PreparedPool>();
  prepared->table = &kernels(query.isa);
  prepared->kernel = pair_of(attributes.ints("kernel_shape"));
  prepared->stride = pair_of(attributes.ints("strides", {1, 1}));
  prepared->dilation = pair_of(attributes.ints("dilations", {1, 1}));
  prepared->pad = pair_of(attributes.ints("pads", {0, 0, 0, 0}));
  prepared->pad_end = pair_of(attributes.ints("pads", {0, 0, 0, 0}), 2);
  prepared->pad_rule.mode = auto_pad_of(attributes);
  prepared->average = query.node.op == "AveragePoolNhwc";
  prepared->count_padding = attributes.integer("count_include_pad", 0) != 0;
  return std::shared_ptr<const void>(std::move(prepared));
}

// First tap and one past the last tap of a window that lie inside the image, in one dimension.
struct Range {
  size_t begin, end;
};
Range inside(size_t start, size_t pad, size_t size, size_t kernel, size_t dilation) {
  // Positions are counted from the edge of the padding.
  const size_t first = start >= pad ? 0 : (pad - start + dilation - 1) / dilation;
  const size_t reach = size + pad;
  const size_t last = start >= reach ? 0 : (reach - start + dilation - 1) / dilation;
  return {std::min(first, kernel), std::min(last, kernel)};
}

// Taps of a window up to the end of the padding: a window that ceil_mode lets stick out further
// does not count what lies beyond.
size_t counted(size_t start, size_t padded_size, size_t kernel, size_t dilation) {
  if (start >= padded_size) return 0;
  return std::min(kernel, (padded_size - start + dilation - 1) / dilation);
}

Status run(const RunContext& context) {
  PreparedPool p = *static_cast<const PreparedPool*>(context.prepared());
  const std::span<const int64_t> in = context.input(0).shape, out = context.output(0).shape;
  for (size_t i = 0; i < 2; ++i) {
    std::tie(p.pad[i], p.pad_end[i]) =
        p.pad_rule.pads(static_cast<size_t>(in[i + 1]), static_cast<size_t>(out[i + 1]), p.kernel[i],
                        p.stride[i], p.dilation[i], p.pad[i], p.pad_end[i]);
  }
  const auto in_h = static_cast<size_t>(in[1]), in_w = static_cast<size_t>(in[2]);
  const auto out_h = static_cast<size_t>(out[1]), out_w = static_cast<size_t>(out[2]);
  const auto channels = static_cast<size_t>(in[3]);
  const float* x = floats(context.input(0));
  float* y = floats(context.output(0));
  const Workers workers = workers_of(context);
  const size_t rows = static_cast<size_t>(in[0]) * out_h;
  const size_t work = std::max<size_t>(1, out_w * channels * p.kernel[0] * p.kernel[1]);
  const size_t least = std::max<size_t>(1, 100'000 / work);
  workers.run(rows, workers.grain(rows, least), [&](size_t begin, size_t end) {
    const float* taps[kMaxTaps];
    for (size_t row = begin; row < end; ++row) {
      const size_t image = row / out_h, top = row % out_h * p.stride[0];
      const Range ky = inside(top, p.pad[0], in_h, p.kernel[0], p.dilation[0]);
      for (size_t ox = 0; ox < out_w; ++ox) {
        const size_t left = ox * p.stride[1];
        const Range kx = inside(left, p.pad[1], in_w, p.kernel[1], p.dilation[1]);
        size_t count = 0;
        for (size_t i = ky.begin; i < ky.end; ++i) {
          const size_t in_y = top + i * p.dilation[0] - p.pad[0];
          for (size_t j = kx.begin; j < kx.end; ++j) {
            const size_t in_x = left + j * p.dilation[1] - p.pad[1];
            taps[count++] = x + ((image * in_h + in_y) * in_w + in_x) * channels;
          }
        }
        float* to = y + (row * out_w + ox) * channels;
        if (count == 0) {  // all of the window is padding
          std::fill_n(to, channels, p.average ? 0.0f : -std::numeric_limits<float>::infinity());
        } else if (p.average) {
          size_t divisor = count;
          if (p.count_padding) {
            divisor = counted(top, in_h + p.pad[0] + p.pad_end[0], p.kernel[0], p.dilation[0]) *
                      counted(left, in_w + p.pad[1] + p.pad_end[1], p.kernel[1], p.dilation[1]);
          }
          p.table->rows->sum_of_taps(taps, count, 1.0f / static_cast<float>(divisor), to, channels);
        } else {
          p.table->rows->max_of_taps(taps, count, to, channels);
        }
      }
    }
  });
  return ok();
}

Status run_whole(const RunContext& context) {
  const auto& p = *static_cast<const PreparedPool*>(context.prepared());
  const std::span<const int64_t> in = context.input(0).shape;
  const auto images = static_cast<size_t>(in[0]), channels = static_cast<size_t>(in[3]);
  const size_t pixels = static_cast<size_t>(in[1]) * static_cast<size_t>(in[2]);
  const float* x = floats(context.input(0));
  float* y = floats(context.output(0));
  workers_of(context).run(images, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      p.table->rows->reduce_columns(p.average ? Reduction::kMean : Reduction::kMax,
                                    x + i * pixels * channels, y + i * channels, pixels, channels);
    }
  });
  return ok();
}

constexpr FastKernel kMaxPool[] = {
    {.name = "max_pool_nhwc/whole", .applies = whole_image, .prepare = prepare,
     .pack_key = key_of_isa, .run = run_whole},
    {.name = "max_pool_nhwc/taps", .applies = small_window, .prepare = prepare,
     .pack_key = key_of_isa, .run = run}};
constexpr FastKernel kAveragePool[] = {
    {.name = "average_pool_nhwc/whole", .applies = whole_image, .prepare = prepare,
     .pack_key = key_of_isa, .run = run_whole},
    {.name = "average_pool_nhwc/taps", .applies = small_window, .prepare = prepare,
     .pack_key = key_of_isa, .run = run}};

}  // namespace

extern constinit const std::span<const FastKernel> fast_max_pool_nhwc = kMaxPool;
extern constinit const std::span<const FastKernel> fast_average_pool_nhwc = kAveragePool;

}  // namespace lanthorn
