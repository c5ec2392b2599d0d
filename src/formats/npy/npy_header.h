#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lanthorn/result.h"
#include "lanthorn/tensor.h"

namespace lanthorn {

/// What the dict at the start of an .npy file says.
struct NpyHeader {
  std::string descr;                // as written: "<f4"
  char kind = 0;                    // NumPy's letter: f i u b c S U O V M m; 0 for a record
  uint64_t width = 0;               // the number behind it: bytes, or characters of S and U
  DType dtype = DType::kUndefined;  // of numbers that a tensor can have
  bool big_endian = false;
  bool fortran_order = false;
  Shape shape;
};

/// Parses the dict, a Python literal, without evaluating anything. kCorrupt.
Result<NpyHeader> parse_npy_header(std::string_view text);

/// NumPy's name of a dtype, or of the bits where NumPy has no such dtype: "<f4", "<u2".
std::string_view npy_descr(DType dtype);

/// The code points of UTF-8 text; what is not UTF-8 becomes U+FFFD.
std::vector<uint32_t> code_points(std::string_view text);

}  // namespace lanthorn
