#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <type_traits>

#include "ops/loops.h"
#include "ops/op.h"
#include "tensor/convert.h"
#include "tensor/copy.h"

// References of element-wise operators compute in the widest type of their kind: double, int64_t or
// uint64_t. A double rounds to float as the exact result would for + - * / and sqrt, and integers
// wrap alike at every width, so one loop serves all dtypes.
namespace lanthorn {

enum class WideKind : uint8_t { kReal, kSigned, kUnsigned };

/// Floats are kReal, uint64 is kUnsigned, all other integers and bool are kSigned.
WideKind wide_kind(DType dtype);

template <class W>
constexpr DType wide_dtype() {
  if constexpr (std::is_same_v<W, double>) return DType::kF64;
  if constexpr (std::is_same_v<W, int64_t>) return DType::kI64;
  return DType::kU64;
}

constexpr size_t kWideBlock = 256;

/// `count` elements from position `at` on, `step` apart (0 repeats one).
template <class W>
void load_wide(const TensorView& from, int64_t at, int64_t step, W* wide, size_t count) {
  if (step == 1)
    return convert(from.dtype, element_at(from.dtype, from.data, at), wide_dtype<W>(), wide, count);
  if (step == 0) {
    convert(from.dtype, element_at(from.dtype, from.data, at), wide_dtype<W>(), wide,
            count > 0 ? 1 : 0);
    for (size_t i = 1; i < count; ++i) wide[i] = wide[0];
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    const int64_t from_at = at + static_cast<int64_t>(i) * step;
    convert(from.dtype, element_at(from.dtype, from.data, from_at), wide_dtype<W>(), wide + i, 1);
  }
}

template <class W>
void store_wide(const W* wide, const MutableTensorView& to, int64_t at, size_t count) {
  if (!to.present()) return;
  convert(wide_dtype<W>(), wide, to.dtype, element_at(to.dtype, to.data, at), count);
}

/// All elements of an input.
template <class W>
std::vector<W> wide_copy(const TensorView& from) {
  std::vector<W> wide(static_cast<size_t>(from.count()));
  load_wide(from, 0, 1, wide.data(), wide.size());
  return wide;
}

/// Output 0 = function(inputs ...), element by element with broadcasting, of the first N inputs.
template <class W, size_t N, class F>
Status map_wide(const RunContext& context, F function) {
  std::array<std::span<const int64_t>, N> shapes;
  for (size_t k = 0; k < N; ++k) shapes[k] = context.input(k).shape;
  std::array<std::array<W, kWideBlock>, N> in;
  std::array<W, kWideBlock> out;
  for (BroadcastWalk walk(context.output(0).shape, shapes); !walk.done(); walk.next()) {
    for (int64_t done = 0; done < walk.length(); done += static_cast<int64_t>(kWideBlock)) {
      const auto count = static_cast<size_t>(std::min<int64_t>(kWideBlock, walk.length() - done));
      for (size_t k = 0; k < N; ++k) {
        load_wide(context.input(k), walk.at(k) + done * walk.step(k), walk.step(k), in[k].data(),
                  count);
      }
      for (size_t i = 0; i < count; ++i) {
        if constexpr (N == 1) out[i] = static_cast<W>(function(in[0][i]));
        if constexpr (N == 2) out[i] = static_cast<W>(function(in[0][i], in[1][i]));
        if constexpr (N == 3) out[i] = static_cast<W>(function(in[0][i], in[1][i], in[2][i]));
      }
      store_wide(out.data(), context.output(0), walk.at() + done, count);
    }
  }
  return ok();
}

/// map_wide in the widest type of input 0's kind.
template <size_t N, class F>
Status map_numbers(const RunContext& context, F function) {
  switch (wide_kind(context.input(0).dtype)) {
    case WideKind::kReal:
      return map_wide<double, N>(context, function);
    case WideKind::kSigned:
      return map_wide<int64_t, N>(context, function);
    case WideKind::kUnsigned:
      return map_wide<uint64_t, N>(context, function);
  }
  return ok();
}

/// Same, for operators of integers and bools only.
template <size_t N, class F>
Status map_integers(const RunContext& context, F function) {
  if (wide_kind(context.input(0).dtype) == WideKind::kUnsigned)
    return map_wide<uint64_t, N>(context, function);
  return map_wide<int64_t, N>(context, function);
}

// Arithmetic that wraps where C++ would leave it undefined.
template <class W>
W wrapping_add(W a, W b) {
  if constexpr (std::is_same_v<W, double>) return a + b;
  return static_cast<W>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
template <class W>
W wrapping_sub(W a, W b) {
  if constexpr (std::is_same_v<W, double>) return a - b;
  return static_cast<W>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
template <class W>
W wrapping_mul(W a, W b) {
  if constexpr (std::is_same_v<W, double>) return a * b;
  return static_cast<W>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

}  // namespace lanthorn
