#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace lanthorn {

/// What went wrong, by what a caller can do about it. Exit status and HTTP status follow from it.
enum class ErrorCode : uint8_t {
  kUsage,         // wrong flags
  kInvalidInput,  // an input of the wrong name, dtype or shape
  kCorrupt,       // bytes that break their format
  kLimit,         // a budget was reached: memory, depth, count, time, size
  kUnsupported,   // fine, but not supported; also: holds no program
  kNotFound,      // no such file, name or tensor
  kSystem,        // the operating system said no
  kOutOfMemory,   // a large allocation failed
  kInternal,      // our own bug
};

/// The name of the code as scripts see it: "corrupt", "unsupported", ...
std::string_view error_code_name(ErrorCode code);
/// The exit status of a command that failed so.
int exit_status(ErrorCode code);
/// The HTTP status of a request that failed so.
int http_status(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // a sentence: what was found, what was expected
  std::string where;    // outermost first: "model.onnx › node 17 'Conv_3' › attribute 'pads'"
  std::string advice;   // what to do about it; may be empty

  /// This error with one more outer place in front of `where`.
  Error at(std::string_view place) &&;
  /// This error with advice, unless it has one already.
  Error advise(std::string_view what_to_do) &&;
  /// Message, place and advice on lines of their own, as the command line prints them.
  std::string text() const;
};

/// A value, or the reason there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value)  // NOLINT(google-explicit-constructor): `return value;`
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error)  // NOLINT(google-explicit-constructor): `return Error{...};`
      : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }

  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

using Status = Result<std::monostate>;
inline Status ok() { return Status(std::monostate{}); }

}  // namespace lanthorn

#define LAN_CONCAT_(a, b) a##b
#define LAN_CONCAT(a, b) LAN_CONCAT_(a, b)

/// LAN_TRY(auto header, read_header(bytes)); -- declares `header`, or returns the error.
#define LAN_TRY(declaration, expression) \
  LAN_TRY_(LAN_CONCAT(lan_result_, __COUNTER__), declaration, expression)
#define LAN_TRY_(result, declaration, expression) \
  auto result = (expression);                     \
  if (!result) return std::move(result).error();  \
  declaration = *std::move(result)

/// LAN_OK(check_magic(bytes)); -- returns the error, if there is one.
#define LAN_OK(expression)                                 \
  do {                                                     \
    auto lan_status = (expression);                        \
    if (!lan_status) return std::move(lan_status).error(); \
  } while (false)
