#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "lanthorn/result.h"

namespace lanthorn {

struct HttpRequest {
  std::string method;            // "GET"
  std::string path;              // percent-decoded, without the query
  std::string content_type;      // lower case, without parameters; may be empty
  std::string content_encoding;  // lower case
  std::string body;
};

struct HttpAnswer {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::string allow;             // of a 405
  std::string model;             // whose metrics it counts for
};

/// What a server puts up with. All are there from the first byte on.
struct HttpLimits {
  uint64_t max_body_bytes = uint64_t{64} << 20;
  uint32_t max_header_bytes = 16 << 10;
  int header_seconds = 15;       // for a request's head, once its first byte is there
  int body_seconds = 60;
  int write_seconds = 60;
  int idle_seconds = 75;         // between requests
  size_t max_connections = 1024; // more wait in the system's queue
  int drain_seconds = 30;        // after SIGTERM, for what is under way
};

/// An HTTP/1.1 server: one thread reads and writes, workers answer.
class HttpServer {
 public:
  /// `answer` is called on worker threads, for several requests at once; `is_quick` says whether the
  /// answer is short work that the reading thread may do itself.
  struct Handler {
    std::function<HttpAnswer(const HttpRequest&)> answer;
    std::function<bool(const HttpRequest&)> is_quick;
    std::function<void(const HttpAnswer&, double seconds)> answered;
    std::function<void(bool opened)> connection;
    std::function<void()> draining;
  };
  HttpServer(Handler handler, HttpLimits limits, int workers);
  ~HttpServer();

  /// Binds and listens, and takes over SIGTERM and SIGINT. kSystem with the system's words. Port 0
  /// takes a free one.
  Status listen(const std::string& host, uint16_t port);
  uint16_t port() const;
  /// Serves until SIGTERM or SIGINT, then finishes what is under way.
  void run();
  /// What SIGTERM does; may be called from any thread.
  void drain();

  struct Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace lanthorn
