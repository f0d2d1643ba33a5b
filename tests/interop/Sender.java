import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** Posts each of its arguments as an event; an HttpClient as it comes asks for HTTP/2 with every request. */
class Sender {
    public static void main(String[] given) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        for (int number = 2; number < given.length; number++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(given[0]))
                .header("Content-Type", "application/cloudevents+json")
                .header("X-API-Key", given[1])
                .POST(BodyPublishers.ofString(given[number]))
                .build();
            var answer = client.send(request, BodyHandlers.ofString());
            System.out.println(answer.version() + " " + answer.statusCode() + " " + answer.body());
        }
    }
}
