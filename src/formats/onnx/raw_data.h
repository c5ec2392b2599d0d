#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "lanthorn/tensor.h"

/// How the elements of a tensor lie in TensorProto.raw_data and in external data: little-endian, in
/// C order, those of fewer than 8 bits packed from the lowest bits on.
namespace lanthorn::onnx {

/// How many elements one stored byte holds; more than one for types of fewer than 8 bits.
unsigned elements_per_byte(DType dtype);
/// The bytes that `count` elements take.
uint64_t raw_bytes(DType dtype, uint64_t count);
/// Element `i` of packed data, sign extended for signed types.
uint8_t unpacked(DType dtype, std::span<const std::byte> packed, uint64_t i);
/// Elements that are stored one a byte, packed.
std::vector<std::byte> pack(DType dtype, std::span<const std::byte> elements);

}  // namespace lanthorn::onnx
