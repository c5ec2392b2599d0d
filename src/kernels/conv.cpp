#include "kernels/conv.h"

#include <algorithm>
#include <utility>

#include "kernels/conv_algorithms.h"

namespace lanthorn {
namespace {

// Rough speeds, only to weigh algorithms against each other.
constexpr double kFlopsPerNs = 100.0;
constexpr double kBytesPerNs = 25.0;

double winograd_cost(const ConvSizes& s, double m) {
  const double side = m + 2.0;
  const double tiles = static_cast<double>(s.batch) *
                       static_cast<double>((s.out_h + static_cast<size_t>(m) - 1) /
                                           static_cast<size_t>(m)) *
                       static_cast<double>((s.out_w + static_cast<size_t>(m) - 1) /
                                           static_cast<size_t>(m));
  const double in = static_cast<double>(s.in_c), out = static_cast<double>(s.out_c);
  const double compute = 2.0 * side * side * tiles * in * out / kFlopsPerNs;
  const double weights = side * side * in * out * 4.0 / kBytesPerNs;
  const double transforms = tiles * side * side * (in + out) * 4.0 * 3.0 / kBytesPerNs;
  return std::max(compute, weights) + 0.3 * std::min(compute, weights) + transforms;
}

double direct_cost(const ConvSizes& s) {
  const double products = static_cast<double>(s.taps() * s.in_c) * static_cast<double>(s.out_c);
  return 2.0 * static_cast<double>(s.pixels()) * products / kFlopsPerNs +
         0.3 * products * 4.0 / kBytesPerNs;
}

bool padded(const ConvSizes& s) {
  const size_t reach_h = (s.out_h - 1) * s.stride_h + (s.kernel_h - 1) * s.dilation_h + 1;
  const size_t reach_w = (s.out_w - 1) * s.stride_w + (s.kernel_w - 1) * s.dilation_w + 1;
  return s.pad_top > 0 || s.pad_left > 0 || reach_h > s.in_h || reach_w > s.in_w;
}

}  // namespace

const char* conv_algorithm_name(ConvAlgorithm algorithm) {
  switch (algorithm) {
    case ConvAlgorithm::kPointwise: return "pointwise";
    case ConvAlgorithm::kRows: return "rows";
    case ConvAlgorithm::kIndirect: return "indirect";
    case ConvAlgorithm::kGrouped: return "grouped";
    case ConvAlgorithm::kDepthwise: return "depthwise";
    case ConvAlgorithm::kWinograd2: return "winograd2";
    case ConvAlgorithm::kWinograd4: return "winograd4";
  }
  return "indirect";
}

ConvAlgorithm choose_conv(const ConvSizes& s, bool exact) {
  if (s.pixels() == 0) return ConvAlgorithm::kIndirect;
  if (s.groups == s.in_c && s.groups == s.out_c && s.kernel_h <= kMaxDepthwiseRows) {
    return s.in_c == 1 ? ConvAlgorithm::kIndirect : ConvAlgorithm::kDepthwise;
  }
  if (s.groups != 1) {
    const bool small = s.group_in() == s.group_out() && (s.group_in() == 4 || s.group_in() == 8);
    return small && s.out_c % 16 == 0 ? ConvAlgorithm::kGrouped : ConvAlgorithm::kIndirect;
  }
  const bool pads = padded(s);
  if (s.taps() == 1 && s.stride_h == 1 && s.stride_w == 1 && !pads) return ConvAlgorithm::kPointwise;
  const bool few_channels = s.in_c <= 4 && s.taps() > 1;
  const bool patches = !pads && s.taps() > 1 && s.out_w >= 8;
  if (s.dilation_w == 1 && few_channels) return ConvAlgorithm::kRows;
  const bool winograd = !exact && s.kernel_h == 3 && s.kernel_w == 3 && s.stride_h == 1 &&
                        s.stride_w == 1 && s.dilation_h == 1 && s.dilation_w == 1 &&
                        s.in_c >= 16 && s.out_c >= 16;
  if (winograd) {
    const double two = winograd_cost(s, 2.0), four = winograd_cost(s, 4.0);
    if (std::min(two, four) < direct_cost(s)) {
      return four < two ? ConvAlgorithm::kWinograd4 : ConvAlgorithm::kWinograd2;
    }
  }
  if (s.dilation_w == 1 && patches) return ConvAlgorithm::kRows;
  return ConvAlgorithm::kIndirect;
}

PackedConv pack_conv(const KernelTable& table, const Workers& workers, const ConvSizes& s,
                     ConvAlgorithm algorithm, const float* weights) {
  PackedConv packed{.algorithm = algorithm};
  const size_t in = s.group_in(), out = s.group_out(), taps = s.taps();
  switch (algorithm) {
    case ConvAlgorithm::kWinograd2:
    case ConvAlgorithm::kWinograd4:
      pack_winograd(table, workers, s, weights, &packed);
      return packed;
    case ConvAlgorithm::kDepthwise:
      packed.depthwise = FloatBuffer(taps * s.in_c);
      for (size_t t = 0; t < taps; ++t) {
        for (size_t c = 0; c < s.in_c; ++c) {
          packed.depthwise.data()[t * s.in_c + c] = weights[c * taps + t];
        }
      }
      return packed;
    case ConvAlgorithm::kGrouped:
      pack_grouped(table, s, weights, &packed);
      break;
    default: break;
  }
  packed.zeros = FloatBuffer(s.in_c);
  std::fill_n(packed.zeros.data(), s.in_c, 0.0f);
  if (algorithm == ConvAlgorithm::kGrouped) return packed;
  // [out][in][taps] -> [taps][in] x [out], tap by tap.
  for (size_t g = 0; g < s.groups; ++g) {
    const float* group = weights + g * out * in * taps;
    PackedMatrix matrix{.k = in * taps, .n = out, .nr = table.gemm->panel_width(out)};
    matrix.data = FloatBuffer(matrix.panels() * matrix.nr * matrix.k);
    workers.run(matrix.panels(), 1, [&](size_t begin, size_t end) {
      for (size_t panel = begin; panel < end; ++panel) {
        for (size_t t = 0; t < taps; ++t) {
          // pack() steps over panels of in x nr values; these have `taps` of them.
          float* to = matrix.data.data() + panel * matrix.nr * in * (taps - 1) + t * in * matrix.nr;
          table.gemm->pack(group + t, taps, in * taps, in, out, matrix.nr, panel, panel + 1, to);
        }
      }
    });
    packed.matrices.push_back(std::move(matrix));
  }
  return packed;
}

size_t conv_scratch_floats(const KernelTable& table, const ConvSizes& shape, ConvAlgorithm algorithm, int threads) {
  switch (algorithm) {
    case ConvAlgorithm::kPointwise:
    case ConvAlgorithm::kDepthwise: return 0;
    case ConvAlgorithm::kRows: return rows_scratch_floats(shape, threads);
    case ConvAlgorithm::kGrouped:
    case ConvAlgorithm::kIndirect: return indirect_scratch_floats(shape, threads);
    case ConvAlgorithm::kWinograd2:
    case ConvAlgorithm::kWinograd4: return winograd_scratch_floats(table, shape, algorithm, threads);
  }
  return 0;
}

void convolve_nhwc(const KernelTable& table, const Workers& workers, const ConvSizes& shape,
              const PackedConv& packed, const float* input, float* output, const Epilogue& epilogue,
              float* scratch) {
  if (shape.pixels() == 0 || shape.out_c == 0) return;
  const ConvCall call{table, workers, shape, packed, input, output, epilogue, scratch};
  switch (packed.algorithm) {
    case ConvAlgorithm::kPointwise:
      multiply(table, workers, input, shape.in_c, shape.pixels(), packed.matrices[0], output,
               shape.out_c, epilogue);
      return;
    case ConvAlgorithm::kRows: return convolve_rows(call);
    case ConvAlgorithm::kIndirect: return convolve_indirect(call);
    case ConvAlgorithm::kGrouped: return convolve_grouped(call);
    case ConvAlgorithm::kDepthwise: return convolve_depthwise(call);
    case ConvAlgorithm::kWinograd2:
    case ConvAlgorithm::kWinograd4: return convolve_winograd(call);
  }
}

}  // namespace lanthorn
