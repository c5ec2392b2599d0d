#include "formats/onnx/raw_data.h"

namespace lanthorn::onnx {

unsigned elements_per_byte(DType dtype) {
  switch (dtype) {
    case DType::kI4:
    case DType::kU4:
    case DType::kF4E2M1:
      return 2;
    case DType::kI2:
    case DType::kU2:
      return 4;
    default:
      return 1;
  }
}

uint64_t raw_bytes(DType dtype, uint64_t count) {
  const unsigned per_byte = elements_per_byte(dtype);
  if (per_byte == 1) return count * dtype_bytes(dtype);
  return count / per_byte + (count % per_byte != 0);
}

uint8_t unpacked(DType dtype, std::span<const std::byte> packed, uint64_t i) {
  const unsigned per_byte = elements_per_byte(dtype);
  const unsigned bits = 8 / per_byte;
  const auto byte = static_cast<unsigned>(packed[i / per_byte]);
  const unsigned value = byte >> (bits * (i % per_byte)) & ((1u << bits) - 1);
  const bool is_signed = dtype == DType::kI4 || dtype == DType::kI2;
  if (!is_signed || value >> (bits - 1) == 0) return static_cast<uint8_t>(value);
  return static_cast<uint8_t>(value | (0xffu << bits));
}

std::vector<std::byte> pack(DType dtype, std::span<const std::byte> elements) {
  const unsigned per_byte = elements_per_byte(dtype);
  const unsigned bits = 8 / per_byte;
  const auto mask = static_cast<std::byte>((1u << bits) - 1);
  std::vector<std::byte> packed(raw_bytes(dtype, elements.size()));
  for (size_t i = 0; i < elements.size(); ++i) {
    packed[i / per_byte] |= (elements[i] & mask) << (bits * (i % per_byte));
  }
  return packed;
}

}  // namespace lanthorn::onnx
