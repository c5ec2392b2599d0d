#pragma once

namespace lanthorn {

/// Says which of our own assumptions did not hold, and ends the process.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace lanthorn

/// Our own bugs only; never for anything that bytes, users or the system can cause.
#define LAN_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::lanthorn::check_failed(#condition, __FILE__, __LINE__))
#ifdef NDEBUG
#define LAN_DCHECK(condition) static_cast<void>(0)
#else
#define LAN_DCHECK(condition) LAN_CHECK(condition)
#endif
