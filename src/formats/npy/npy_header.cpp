#include "formats/npy/npy_header.h"

#include <charconv>

namespace lanthorn {
namespace {

struct Row {
  DType dtype;
  std::string_view descr;
};

constexpr Row kRows[] = {
    {DType::kF16, "<f2"}, {DType::kF32, "<f4"},   {DType::kF64, "<f8"}, {DType::kI8, "|i1"},
    {DType::kI16, "<i2"}, {DType::kI32, "<i4"},   {DType::kI64, "<i8"}, {DType::kU8, "|u1"},
    {DType::kU16, "<u2"}, {DType::kU32, "<u4"},   {DType::kU64, "<u8"}, {DType::kBool, "|b1"},
    {DType::kC64, "<c8"}, {DType::kC128, "<c16"},
};

Error corrupt(std::string message, size_t position) {
  return Error{ErrorCode::kCorrupt, std::move(message),
               "header of the array › character " + std::to_string(position)};
}

/// Reads the few forms of Python literal that a header may have.
class Literal {
 public:
  explicit Literal(std::string_view text) : text_(text) {}

  size_t position() const { return position_; }
  void skip_space() {
    while (position_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[position_]) != std::string_view::npos) {
      ++position_;
    }
  }
  bool take(std::string_view token) {
    skip_space();
    if (text_.substr(position_, token.size()) != token) return false;
    position_ += token.size();
    return true;
  }
  bool at(char sign) {
    skip_space();
    return position_ < text_.size() && text_[position_] == sign;
  }
  bool at_end() {
    skip_space();
    return position_ == text_.size();
  }
  Status expect(std::string_view token) {
    if (take(token)) return ok();
    return corrupt("'" + std::string(token) + "' is expected", position_);
  }
  Result<std::string> string() {
    if (!at('\'') && !at('"')) return corrupt("a string is expected", position_);
    const char quote = text_[position_];
    const size_t end = text_.find(quote, position_ + 1);
    if (end == std::string_view::npos) return corrupt("a string has no end", position_);
    std::string value(text_.substr(position_ + 1, end - position_ - 1));
    position_ = end + 1;
    return value;
  }
  Result<int64_t> integer() {
    skip_space();
    int64_t value = 0;
    const char* begin = text_.data() + position_;
    const auto parsed = std::from_chars(begin, text_.data() + text_.size(), value);
    if (parsed.ec != std::errc() || value < 0) return corrupt("a size is expected", position_);
    position_ += static_cast<size_t>(parsed.ptr - begin);
    take("L");  // as Python 2 wrote it
    return value;
  }
  Result<Shape> shape() {
    LAN_OK(expect("("));
    Shape dims;
    while (!take(")")) {
      LAN_TRY(const int64_t dim, integer());
      dims.push_back(dim);
      if (dims.size() > 64) return corrupt("more than 64 dimensions", position_);
      if (take(",")) continue;
      LAN_OK(expect(")"));
      break;
    }
    return dims;
  }
  /// Passes over a list of fields, which no tensor can have.
  Result<std::string> record() {
    const size_t start = position_;
    int depth = 0;
    while (!at_end()) {
      if (at('\'') || at('"')) {
        LAN_OK(string());
        continue;
      }
      const char c = text_[position_++];
      if (c == '[' || c == '(') ++depth;
      if ((c == ']' || c == ')') && --depth == 0) {
        return std::string(text_.substr(start, position_ - start));
      }
    }
    return corrupt("a list has no end", start);
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
};

void set_dtype(NpyHeader& header) {
  std::string_view descr = header.descr;
  if (descr.empty() || descr[0] == '[') return;
  if (std::string_view("<>|=").find(descr[0]) != std::string_view::npos) {
    header.big_endian = descr[0] == '>';
    descr.remove_prefix(1);
  }
  if (descr.empty()) return;
  header.kind = descr[0];
  const char* end = descr.data() + descr.size();
  const auto parsed = std::from_chars(descr.data() + 1, end, header.width);
  if (parsed.ec != std::errc() || parsed.ptr != end) header.kind = descr == "O" ? 'O' : '\0';
  if (header.width > UINT32_MAX) header.kind = '\0';
  for (const Row& row : kRows) {
    if (row.descr.substr(1) == descr) header.dtype = row.dtype;
  }
  if (dtype_bytes(header.dtype) == 1) header.big_endian = false;
}

}  // namespace

Result<NpyHeader> parse_npy_header(std::string_view text) {
  Literal literal(text);
  NpyHeader header;
  unsigned seen = 0;
  LAN_OK(literal.expect("{"));
  while (!literal.take("}")) {
    LAN_TRY(const std::string key, literal.string());
    LAN_OK(literal.expect(":"));
    literal.skip_space();
    if (key == "descr") {
      seen |= 1;
      if (literal.at('[')) {
        LAN_TRY(header.descr, literal.record());
      } else {
        LAN_TRY(header.descr, literal.string());
      }
    } else if (key == "fortran_order") {
      seen |= 2;
      header.fortran_order = literal.take("True");
      if (!header.fortran_order) LAN_OK(literal.expect("False"));
    } else if (key == "shape") {
      seen |= 4;
      LAN_TRY(header.shape, literal.shape());
    } else {
      return corrupt("the key '" + key.substr(0, 40) + "' is not known", literal.position());
    }
    if (literal.take(",")) continue;
    LAN_OK(literal.expect("}"));
    break;
  }
  if (seen != 7) return corrupt("'descr', 'fortran_order' and 'shape' are expected", 0);
  if (!literal.at_end()) return corrupt("something follows the header", literal.position());
  set_dtype(header);
  return header;
}

std::string_view npy_descr(DType dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return row.descr;
  }
  switch (dtype_bytes(dtype)) {
    case 2:
      return "<u2";
    case 4:
      return dtype == DType::kQI32 ? "<i4" : "<u4";
    default:
      return dtype == DType::kQI8 ? "|i1" : "|u1";
  }
}

std::vector<uint32_t> code_points(std::string_view text) {
  std::vector<uint32_t> points;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const size_t length = lead < 0x80    ? 1
                          : lead >= 0xf0 ? 4
                          : lead >= 0xe0 ? 3
                          : lead >= 0xc0 ? 2
                                         : 1;
    uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
    bool good = lead < 0x80 || (length > 1 && text.size() - i >= length);
    for (size_t k = 1; k < length && good; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      good = (next & 0xc0) == 0x80;
      point = point << 6 | (next & 0x3f);
    }
    points.push_back(good ? point : 0xfffd);
    i += good ? length : 1;
  }
  return points;
}

}  // namespace lanthorn
