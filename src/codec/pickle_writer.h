#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace lanthorn {

/// Writes the opcodes of a pickle of protocol 2, with the numbers of the memo that CPython's
/// pickler gives, so that what both write is equal byte by byte. The caller sees to the order.
class PickleWriter {
 public:
  PickleWriter();

  void none() { out_ += 'N'; }
  void boolean(bool value) { out_ += value ? '\x88' : '\x89'; }
  void integer(int64_t value);
  /// A number of any size from its decimal digits.
  void big_integer(std::string_view digits);
  void real(double value);
  /// UTF-8; not put into the memo.
  void text(std::string_view value);
  /// Text that is the same object every time, such as a literal of the writer: from the second time
  /// on it is taken from the memo.
  void literal(std::string_view value);
  /// A class or function, "module.name"; from the second time on taken from the memo.
  void global(std::string_view module, std::string_view name);
  /// Any opcode without an operand: "(" MARK, "t" TUPLE, "R" REDUCE, ...
  void op(char opcode) { out_ += opcode; }
  /// The opcode that makes a tuple of the `count` values on top. Up to 3 need no mark before them.
  void close_tuple(size_t count);
  /// Gives the top of the stack the next number of the memo.
  uint32_t put();
  void get(uint32_t number);

  /// The finished pickle.
  std::string finish();

 private:
  std::string out_;
  uint32_t next_ = 0;
  std::map<std::string, uint32_t, std::less<>> named_;  // of globals and literals
};

}  // namespace lanthorn
