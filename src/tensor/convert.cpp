#include "tensor/convert.h"

#include <algorithm>
#include <array>
#include <complex>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "tensor/half.h"

namespace lanthorn {
namespace {

constexpr size_t kBlock = 256;

// Every number passes through one of four wide forms, so there is one loader and one storer a type
// instead of a loop for each pair of types.
enum class Wide : uint8_t { kSigned, kUnsigned, kReal, kComplex, kNone };

Wide wide_of(DType dtype) {
  switch (dtype) {
    case DType::kI8:
    case DType::kI16:
    case DType::kI32:
    case DType::kI64:
    case DType::kI4:
    case DType::kI2:
    case DType::kBool:
    case DType::kU8:
    case DType::kU16:
    case DType::kU32:
    case DType::kU4:
    case DType::kU2:
      return Wide::kSigned;
    case DType::kU64:
      return Wide::kUnsigned;
    default:
      break;
  }
  if (is_floating(dtype)) return Wide::kReal;
  return is_complex(dtype) ? Wide::kComplex : Wide::kNone;
}

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
void store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

// What cvttsd2si gives: everything out of range, NaN too, is the smallest integer.
int64_t to_i64(double value) {
  return value >= -0x1p63 && value < 0x1p63 ? static_cast<int64_t>(value)
                                            : std::numeric_limits<int64_t>::min();
}
int32_t to_i32(double value) {
  return value > -0x1p31 - 1 && value < 0x1p31 ? static_cast<int32_t>(value)
                                               : std::numeric_limits<int32_t>::min();
}
uint64_t to_u64(double value) {
  if (value >= 0x1p63 && value < 0x1p64) return static_cast<uint64_t>(value);
  return static_cast<uint64_t>(to_i64(value));
}

int64_t sign_extended(int64_t value, int bits) {
  const auto shift = static_cast<unsigned>(64 - bits);
  return static_cast<int64_t>(static_cast<uint64_t>(value) << shift) >> shift;
}

template <class T, class W>
void load_plain(const std::byte* source, W* wide, size_t count) {
  for (size_t i = 0; i < count; ++i) wide[i] = static_cast<W>(load<T>(source + i * sizeof(T)));
}

void load_signed(DType from, const std::byte* source, int64_t* wide, size_t count) {
  switch (from) {
    case DType::kI8:
      return load_plain<int8_t>(source, wide, count);
    case DType::kI16:
      return load_plain<int16_t>(source, wide, count);
    case DType::kI32:
      return load_plain<int32_t>(source, wide, count);
    case DType::kI64:
      return load_plain<int64_t>(source, wide, count);
    case DType::kU16:
      return load_plain<uint16_t>(source, wide, count);
    case DType::kU32:
      return load_plain<uint32_t>(source, wide, count);
    case DType::kU8:
      return load_plain<uint8_t>(source, wide, count);
    default:
      break;
  }
  for (size_t i = 0; i < count; ++i) {
    const auto byte = static_cast<uint8_t>(source[i]);
    switch (from) {
      case DType::kBool:
        wide[i] = byte != 0;
        break;
      case DType::kI4:
        wide[i] = sign_extended(byte, 4);
        break;
      case DType::kI2:
        wide[i] = sign_extended(byte, 2);
        break;
      case DType::kU4:
        wide[i] = byte & 15;
        break;
      default:
        wide[i] = byte & 3;
        break;
    }
  }
}

void load_real(DType from, const std::byte* source, double* wide, size_t count) {
  switch (from) {
    case DType::kF32:
      return load_plain<float>(source, wide, count);
    case DType::kF64:
      return load_plain<double>(source, wide, count);
    case DType::kF16:
      for (size_t i = 0; i < count; ++i) wide[i] = f16_to_f32(load<uint16_t>(source + 2 * i));
      return;
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i) wide[i] = bf16_to_f32(load<uint16_t>(source + 2 * i));
      return;
    default:
      for (size_t i = 0; i < count; ++i)
        wide[i] = small_float_to_f32(from, static_cast<uint8_t>(source[i]));
  }
}

void load_complex(DType from, const std::byte* source, std::complex<double>* wide, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (from == DType::kC128) {
      wide[i] = load<std::complex<double>>(source + 16 * i);
    } else if (from == DType::kC64) {
      wide[i] = load<std::complex<float>>(source + 8 * i);
    } else {
      wide[i] = {f16_to_f32(load<uint16_t>(source + 4 * i)),
                 f16_to_f32(load<uint16_t>(source + 4 * i + 2))};
    }
  }
}

template <class T, class W>
T to_integer(W value) {
  if constexpr (!std::is_same_v<W, double>) {
    return static_cast<T>(value);
  } else if constexpr (std::is_same_v<T, uint64_t>) {
    return to_u64(value);
  } else if constexpr (std::is_signed_v<T> && sizeof(T) < 8) {
    return static_cast<T>(to_i32(value));
  } else {
    return static_cast<T>(to_i64(value));
  }
}

template <class T, class W>
void store_integers(const W* wide, std::byte* target, size_t count) {
  for (size_t i = 0; i < count; ++i) store(target + i * sizeof(T), to_integer<T>(wide[i]));
}

template <class W>
void store_real(const W* wide, DType to, std::byte* target, size_t count, ConvertOptions options) {
  switch (to) {
    case DType::kF32:
      for (size_t i = 0; i < count; ++i) store(target + 4 * i, static_cast<float>(wide[i]));
      return;
    case DType::kF64:
      for (size_t i = 0; i < count; ++i) store(target + 8 * i, static_cast<double>(wide[i]));
      return;
    case DType::kF16:
      for (size_t i = 0; i < count; ++i)
        store(target + 2 * i, f32_to_f16(static_cast<float>(wide[i])));
      return;
    case DType::kBF16:
      for (size_t i = 0; i < count; ++i)
        store(target + 2 * i, f32_to_bf16(static_cast<float>(wide[i])));
      return;
    default:
      for (size_t i = 0; i < count; ++i) {
        store(target + i, f32_to_small_float(to, static_cast<float>(wide[i]), options.saturate,
                                             options.rounding));
      }
  }
}

template <class W>
void store_narrow(const W* wide, DType to, std::byte* target, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    const auto low = static_cast<uint8_t>(to_integer<int64_t>(wide[i]));
    switch (to) {
      case DType::kBool:
        store(target + i, static_cast<uint8_t>(wide[i] != W{0}));
        break;
      case DType::kI4:
        store(target + i, static_cast<int8_t>(sign_extended(low, 4)));
        break;
      case DType::kI2:
        store(target + i, static_cast<int8_t>(sign_extended(low, 2)));
        break;
      case DType::kU4:
        store(target + i, static_cast<uint8_t>(low & 15));
        break;
      default:
        store(target + i, static_cast<uint8_t>(low & 3));
        break;
    }
  }
}

template <class W>
void store_complex(const W* wide, DType to, std::byte* target, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    std::complex<double> value;
    if constexpr (std::is_same_v<W, std::complex<double>>) {
      value = wide[i];
    } else {
      value = static_cast<double>(wide[i]);
    }
    if (to == DType::kC128) {
      store(target + 16 * i, value);
    } else if (to == DType::kC64) {
      store(target + 8 * i, std::complex<float>(value));
    } else {
      store(target + 4 * i, f32_to_f16(static_cast<float>(value.real())));
      store(target + 4 * i + 2, f32_to_f16(static_cast<float>(value.imag())));
    }
  }
}

template <class W>
void store_wide(const W* wide, DType to, std::byte* target, size_t count, ConvertOptions options) {
  switch (to) {
    case DType::kI8:
      return store_integers<int8_t>(wide, target, count);
    case DType::kI16:
      return store_integers<int16_t>(wide, target, count);
    case DType::kI32:
      return store_integers<int32_t>(wide, target, count);
    case DType::kI64:
      return store_integers<int64_t>(wide, target, count);
    case DType::kU8:
      return store_integers<uint8_t>(wide, target, count);
    case DType::kU16:
      return store_integers<uint16_t>(wide, target, count);
    case DType::kU32:
      return store_integers<uint32_t>(wide, target, count);
    case DType::kU64:
      return store_integers<uint64_t>(wide, target, count);
    default:
      break;
  }
  if (is_floating(to)) return store_real(wide, to, target, count, options);
  if (is_complex(to)) return store_complex(wide, to, target, count);
  store_narrow(wide, to, target, count);
}

void convert_complex(DType from, const std::byte* source, DType to, std::byte* target, size_t count,
                     ConvertOptions options) {
  std::array<std::complex<double>, kBlock> wide;
  load_complex(from, source, wide.data(), count);
  if (is_complex(to)) return store_complex(wide.data(), to, target, count);
  std::array<double, kBlock> real;
  for (size_t i = 0; i < count; ++i) {
    real[i] = to == DType::kBool ? static_cast<double>(wide[i] != 0.0) : wide[i].real();
  }
  store_wide(real.data(), to, target, count, options);
}

void convert_block(DType from, const std::byte* source, DType to, std::byte* target, size_t count,
                   ConvertOptions options) {
  switch (wide_of(from)) {
    case Wide::kSigned: {
      std::array<int64_t, kBlock> wide;
      load_signed(from, source, wide.data(), count);
      return store_wide(wide.data(), to, target, count, options);
    }
    case Wide::kUnsigned: {
      std::array<uint64_t, kBlock> wide;
      load_plain<uint64_t>(source, wide.data(), count);
      return store_wide(wide.data(), to, target, count, options);
    }
    case Wide::kReal: {
      std::array<double, kBlock> wide;
      load_real(from, source, wide.data(), count);
      return store_wide(wide.data(), to, target, count, options);
    }
    default:
      return convert_complex(from, source, to, target, count, options);
  }
}

}  // namespace

bool can_convert(DType from, DType to) {
  return wide_of(from) != Wide::kNone && wide_of(to) != Wide::kNone;
}

void convert(DType from, const void* source, DType to, void* target, size_t count,
             ConvertOptions options) {
  LAN_CHECK(can_convert(from, to));
  const auto* in = static_cast<const std::byte*>(source);
  auto* out = static_cast<std::byte*>(target);
  const size_t in_bytes = dtype_bytes(from), out_bytes = dtype_bytes(to);
  if (from == to && from != DType::kBool) {
    if (count > 0) std::memcpy(out, in, count * in_bytes);
    return;
  }
  for (size_t done = 0; done < count; done += kBlock) {
    convert_block(from, in + done * in_bytes, to, out + done * out_bytes,
                  std::min(kBlock, count - done), options);
  }
}

}  // namespace lanthorn
